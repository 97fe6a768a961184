"""Agents of E2E-GMNER: one model with eyes writes thought and records in one pass."""
