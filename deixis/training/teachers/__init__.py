"""What each system's model is taught: the gold answer to each of its graph's questions."""
