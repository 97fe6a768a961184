"""Rows to training data, and the training of the shipped recognizer."""
