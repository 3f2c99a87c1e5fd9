"""A linear undercomplete autoencoder, 3-D to 2-D: with squared error it finds the plane of PCA's first components."""

from genjax.config import SMOKE, variant
from genjax.tasks import autoencoder


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = autoencoder.config()
    c.data.name = "arc3d"
    c.steps = 8_000
    c.batch = 1_000  # all examples, so that the gradient is exact
    c.autoencoder = {"net": "dense", "widths": (2,), "activation": "linear", "output": "linear"}
    c.loss = "mse"
    c.optimizer.update(name="sgd", learning_rate=0.5)
    return variant(c, name, smoke=SMOKE | {})
