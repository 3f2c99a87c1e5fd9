"""Adversarial training, whatever the nets: any loss x penalties x remedies."""
