"""Where model files come from, and the torch runtime that models share."""
