"""Evaluation of a run or of any images: metrics by name, each number with its protocol."""
