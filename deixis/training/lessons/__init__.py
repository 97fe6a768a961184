"""Lessons: what a graph asks of a sample, and the answer that its gold records make."""
