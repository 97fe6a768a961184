"""Ablations: a plan of variants, run and scored into one table."""
