"""Sketches into images, with and without a critic (arXiv:1611.07004), beside rules.

The rules: python -m experiments.translation_baselines --config=sketch.
"""

from experiments.ablations.translation_superres import EVALUATE, OVERRIDES, REPORT, SEEDS, variants

BASE = "configs/sketch.py"
__all__ = ["BASE", "EVALUATE", "OVERRIDES", "REPORT", "SEEDS", "variants"]
