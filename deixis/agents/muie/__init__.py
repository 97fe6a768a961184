"""Agents of the graph muie: entities, relations and events in text, pictures, sound and video."""
