"""Results on their way to other tools, and gold rows on their way back."""
