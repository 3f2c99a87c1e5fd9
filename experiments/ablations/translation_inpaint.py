"""Holes filled in, with and without a critic, beside rules.

The rules: python -m experiments.translation_baselines --config=inpaint.
"""

from experiments.ablations.translation_superres import EVALUATE, OVERRIDES, REPORT, SEEDS, variants

BASE = "configs/inpaint.py"
__all__ = ["BASE", "EVALUATE", "OVERRIDES", "REPORT", "SEEDS", "variants"]
