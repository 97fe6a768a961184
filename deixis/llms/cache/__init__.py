"""Answers of language models, kept on disk."""
