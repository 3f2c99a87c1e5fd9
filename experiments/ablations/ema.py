"""How long the average of the generator's weights should be.

Runs of one seed have their weights, batches and noise in common and differ in the average alone.
"""

BASE = "configs/demo.py"
OVERRIDES = {"eval.samples": 5000, "keep": 1}
EVALUATE = "frechet,precision_recall"
SEEDS = 3
REPORT = {
    "Frechet distance (SqueezeNet fire9)": ("Fréchet distance", "lower"),
    "Precision (SqueezeNet fire9)": ("precision", "higher"),
    "Recall (SqueezeNet fire9)": ("recall", "higher"),
}
X = ("ema.half_life", "half-life of the average, images", "log")


def variants():
    """0 is no average at all."""
    return {f"{images:,} images": {"ema.half_life": images} for images in (0, 1_000, 10_000, 30_000, 100_000)}
