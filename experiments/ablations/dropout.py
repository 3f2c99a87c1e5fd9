"""Whether the critic needs its dropout.

Needs a run of configs/classifier.py on the whole Fashion-MNIST in runs/classifier.
"""

BASE = "configs/demo.py"
OVERRIDES = {
    "steps": 3_000,
    "eval.features": "squeezenet,classifier:runs/classifier",
    "eval.samples": 5_000,
    "keep": 1,
}
EVALUATE = "frechet,precision_recall"
SEEDS = 3
REPORT = {
    "Frechet distance (SqueezeNet fire9)": ("Fréchet distance, SqueezeNet", "lower"),
    "Frechet distance (classifier of fashion_mnist)": ("Fréchet distance, classifier", "lower"),
    "Precision (SqueezeNet fire9)": ("precision", "higher"),
    "Recall (SqueezeNet fire9)": ("recall", "higher"),
}
X = ("critic.dropout", "dropout of the critic", "linear")


def variants():
    """None to the textbook's 0.4 and beyond."""
    return {f"dropout {rate:g}": {"critic.dropout": rate} for rate in (0.0, 0.2, 0.4, 0.6)}
