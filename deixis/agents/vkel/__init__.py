"""Agents of the graph vkel alone: its two stages, and its committee asked entity by entity."""
