"""Thoughts of a teacher: a strong model that knows the gold writes the way to it."""
