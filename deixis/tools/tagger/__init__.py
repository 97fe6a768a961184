"""The recognizer of the starter stack, and what it looks at."""
