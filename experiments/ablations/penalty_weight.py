"""Weight of WGAN's gradient penalty.

Needs a run of configs/classifier.py on the whole Fashion-MNIST in runs/classifier.
"""

from experiments import ablations

BASE = "configs/demo.py:r1"
OVERRIDES = ablations.SHORT | {
    "loss.name": "wasserstein",
    "critic_steps": 2,
    "penalty.r1": 0.0,
    "penalty.gradient_penalty": 10.0,
}
EVALUATE = "frechet,precision_recall"
SEEDS = 3
REPORT = ablations.DISTANCES
X = ("penalty.gradient_penalty", "weight of the gradient penalty", "log")


def variants():
    """From a hundredth of the paper's weight to ten times."""
    return {f"weight {weight:g}": {"penalty.gradient_penalty": weight} for weight in (0.1, 1.0, 10.0, 100.0)}
