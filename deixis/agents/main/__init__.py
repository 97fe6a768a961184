"""Agents of the main graph; other graphs borrow some."""
