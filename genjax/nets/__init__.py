"""Flax Linen modules and nothing else, one family per file."""
