"""Evaluation of a run, or of anybody's images: metrics by name, each number with its protocol."""
