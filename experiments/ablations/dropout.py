"""Dropout rate of the critic.

Needs a run of configs/classifier.py on the whole Fashion-MNIST in runs/classifier.
"""

from experiments import ablations

BASE = "configs/demo.py:r1"
OVERRIDES = ablations.SHORT
EVALUATE = "frechet,precision_recall"
SEEDS = 3
REPORT = ablations.DISTANCES
X = ("critic.dropout", "dropout of the critic", "linear")


def variants():
    """From none to the textbook's 0.4."""
    return {f"dropout {rate:g}": {"critic.dropout": rate} for rate in (0.0, 0.2, 0.4)}
