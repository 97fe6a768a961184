"""Apps: the command line; thin, no logic."""
