"""Fine-tuning: lessons become tensors, a model learns them, and our own scores pick the best."""
