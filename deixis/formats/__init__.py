"""Answers as other systems write them: a module for each format, and the files around them."""
