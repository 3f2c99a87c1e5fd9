"""The next frame of films, with and without a critic, beside rules.

The rules: python -m experiments.translation_baselines --config=next_frame.
"""

from experiments.ablations.translation_superres import EVALUATE, OVERRIDES, REPORT, SEEDS, variants

BASE = "configs/next_frame.py"
__all__ = ["BASE", "EVALUATE", "OVERRIDES", "REPORT", "SEEDS", "variants"]
