"""Sensitivity of the metrics to damage of known size. See sensitivity.py."""
