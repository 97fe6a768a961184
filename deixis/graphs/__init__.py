"""Graphs: one file per system; how its nodes are wired, and nothing else."""
