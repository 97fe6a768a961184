"""Agents: one file each; what it asks, and what it accepts as an answer."""
