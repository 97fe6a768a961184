"""Trackers: tools that follow objects through the frames of a video."""
