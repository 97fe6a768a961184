"""Requests to language models by their providers' batch endpoints: hours later, for half."""
