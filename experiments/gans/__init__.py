"""Failures of adversarial training and their remedies, one command per experiment."""
