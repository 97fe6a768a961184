"""Language models: backends by name, structured answers, usage."""
