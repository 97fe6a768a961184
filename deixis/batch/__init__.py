"""Many rows: input, output, resuming, workers."""
