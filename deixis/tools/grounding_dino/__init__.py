"""Grounding DINO: as transformers has it, and as its authors do."""
