"""Number of critic steps of WGAN-GP, at equal numbers of generator steps.

Needs a run of configs/classifier.py on the whole Fashion-MNIST in runs/classifier.
"""

from experiments import ablations

BASE = "configs/demo.py:r1"
OVERRIDES = ablations.SHORT | {"loss.name": "wasserstein", "penalty.r1": 0.0, "penalty.gradient_penalty": 10.0}
EVALUATE = "frechet,precision_recall"
SEEDS = 3
REPORT = ablations.DISTANCES
X = ("critic_steps", "critic steps", "log")


def variants():
    """From 1 to the paper's 5."""
    return {f"{steps} critic steps": {"critic_steps": steps} for steps in (1, 2, 5)}
