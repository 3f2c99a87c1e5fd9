"""Two learning rates: that of the generator, with 2e-4 for the critic (arXiv:1706.08500).

Needs a run of configs/classifier.py on the whole Fashion-MNIST in runs/classifier.
"""

from experiments import ablations

BASE = "configs/demo.py:r1"
OVERRIDES = ablations.SHORT
EVALUATE = "frechet,precision_recall"
SEEDS = 3
REPORT = ablations.DISTANCES
X = ("optimizer.generator.learning_rate", "learning rate of the generator", "log")


def variants():
    """From half the critic's rate to eight times."""
    return {f"{rate:g}": {"optimizer.generator.learning_rate": rate} for rate in (1e-4, 2e-4, 4e-4, 8e-4, 1.6e-3)}
