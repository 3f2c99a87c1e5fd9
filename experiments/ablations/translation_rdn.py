"""Super-resolution by a residual dense net (arXiv:1802.08797), with and without a critic.

The U-Net in its place: translation_superres.py, whose numbers compare with these.
"""

from experiments.ablations.translation_superres import EVALUATE, OVERRIDES, REPORT, SEEDS, variants

__all__ = ["BASE", "EVALUATE", "OVERRIDES", "REPORT", "SEEDS", "variants"]

BASE = "configs/superres.py:rdn"
