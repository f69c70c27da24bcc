"""The contestants: one way to make the same training step in each file."""
