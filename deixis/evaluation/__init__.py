"""Data sets, how they are made, metrics, comparison, ablations and calibration."""
