"""Agents that only the graph `mmre` has."""
