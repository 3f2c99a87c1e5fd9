"""Weak spots of a classifier of clothes: attacks on it, and how far two defenses help."""
