"""Tools that hear: what is said, when, and where somebody speaks at all."""
