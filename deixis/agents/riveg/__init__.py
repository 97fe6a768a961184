"""Agents of RiVEG alone: knowledge after examples, expressions, entailment, then grounding."""
