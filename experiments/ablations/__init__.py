"""Experiments for `python -m experiments.run`: what each part of a method brings (docs/experiments.md)."""
