"""Graphs: one file a system; how its nodes are wired, and nothing else."""
