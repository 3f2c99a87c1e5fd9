"""Flax Linen modules, one family per file; `contracts` says what tasks need of them."""
