"""Data-set readers, metrics and the training of the shipped recognizer."""
