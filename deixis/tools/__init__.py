"""Tools: each file wraps one tool behind a small protocol."""
