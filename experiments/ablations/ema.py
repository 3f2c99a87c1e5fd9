"""Half-life of the averaged generator.

Runs of one seed share weights, batches and noise, and differ only in the average. `ema.ramp` is 1, because the default
would shorten the half-life of runs as short as these. Needs a run of configs/classifier.py on the whole Fashion-MNIST
in runs/classifier.
"""

from experiments import ablations

BASE = "configs/demo.py:r1"
OVERRIDES = ablations.SHORT | {"ema.ramp": 1.0}
EVALUATE = "frechet,precision_recall"
SEEDS = 3
REPORT = ablations.DISTANCES
NEEDS = {"cores": 2, "minutes": 120}  # on a cluster
X = ("ema.half_life", "half-life of the average, images", "log")


def variants():
    """From 0, which is no average, to 25,000 images."""
    return {f"{images:,} images": {"ema.half_life": images} for images in (0, 1_000, 5_000, 25_000)}
