"""Sensitivity of three losses to the learning rate, over two decades.

Both nets have the same rate. A run counts as trained if its samples are near the data: results.csv has the distance of
each run. Needs a run of configs/classifier.py on the whole Fashion-MNIST in runs/classifier.
"""

from experiments import ablations

BASE = "configs/demo.py:r1"
OVERRIDES = ablations.SMALL | {
    "steps": 1_000,
    "penalty.r1": 0.0,
    "eval.features": "classifier:runs/classifier",
    "eval.samples": 2_500,
}
EVALUATE = "frechet"
SEEDS = 3
REPORT = {"Fréchet distance (classifier of fashion_mnist)": "Fréchet distance, classifier"}

RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
KINDS = {
    "non-saturating": {},
    "WGAN-GP": {"loss.name": "wasserstein", "penalty.gradient_penalty": 10.0, "critic_steps": 2},
    "spectral, hinge": {"loss.name": "hinge", "critic.spectral": True},
}


def variants():
    """Every kind at every rate."""
    return {
        f"{kind}, {rate:g}": keys | {f"optimizer.{net}.learning_rate": rate for net in ("generator", "critic")}
        for kind, keys in KINDS.items()
        for rate in RATES
    }
