"""Flax Linen modules and nothing else, one family a file."""
