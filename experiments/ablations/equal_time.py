"""A plain DCGAN and remedies in equal time: two and a half minutes alone on two CPU cores.

The numbers of steps follow from 48 ms per step of the textbook's DCGAN and 29 ms of `demo.py:r1` (docs/performance.md).
On the whole Fashion-MNIST. Needs a run of configs/classifier.py on it in runs/classifier.
"""

from experiments import ablations
from genjax.config_files import load

BASE = "configs/demo.py:r1"
OVERRIDES = {
    "data.name": "fashion_mnist",
    "log_every": 100,
    "sample_every": 1_000,
    "keep": 1,
    "eval.features": ablations.SHORT["eval.features"],
    "eval.samples": 10_000,
}
EVALUATE = "frechet,precision_recall"
SEEDS = 3
REPORT = ablations.DISTANCES


def variants():
    """The textbook's DCGAN, `demo.py:r1`, and the same with the best loss and constraint of loss.py."""
    plain = load("configs/dcgan.py")
    parts = ("generator", "critic", "optimizer", "penalty", "ema", "loss")
    sizes = {"batch": plain.batch, "latent": plain.latent, "steps": 3_000}
    return {
        "plain DCGAN": {part: plain[part].to_dict() for part in parts} | sizes,
        "demo:r1": {"steps": 5_000},
        "demo:r1, least squares, spectral": {
            "steps": 5_000,
            "loss.name": "least_squares",
            "critic.spectral": True,
            "penalty.r1": 0.0,
        },
    }
