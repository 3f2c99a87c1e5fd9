"""A denoising autoencoder: half of the input's pixels are dropped, the target is the whole image.

On the whole Fashion-MNIST as configs/ae_stacked.py.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import autoencoder


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = autoencoder.config()
    c.steps = 6_000
    c.batch = 32
    c.autoencoder = {"net": "dense", "widths": (100, 30), "activation": "selu", "output": "sigmoid"}
    c.corruption.update(name="dropout", amount=0.5)
    c.optimizer.update(name="sgd", learning_rate=1.0)
    return variant(c, name, smoke=SMOKE | {"autoencoder.widths": (8, 4)})
