"""How long the average of the generator's weights should be.

Runs of one seed have their weights, batches and noise in common and differ in the average alone, which is not
shortened at the start as it is by default: these runs end where that still matters. Needs a run of
configs/classifier.py on the whole Fashion-MNIST in runs/classifier.
"""

from experiments import ablations

BASE = "configs/demo.py"
OVERRIDES = ablations.SHORT | {"ema.ramp": 1.0}
EVALUATE = "frechet,precision_recall"
SEEDS = 3
REPORT = ablations.DISTANCES
X = ("ema.half_life", "half-life of the average, images", "log")


def variants():
    """0 is no average at all."""
    return {f"{images:,} images": {"ema.half_life": images} for images in (0, 1_000, 5_000, 25_000)}
