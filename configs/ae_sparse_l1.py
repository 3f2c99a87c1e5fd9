"""A sparse autoencoder: 300 sigmoid latents, few of which an L1 penalty leaves active.

The penalty is the book's, 1e-3 times the sum over latents, averaged over the batch. On the whole Fashion-MNIST as
configs/ae_stacked.py.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import autoencoder


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = autoencoder.config()
    c.steps = 6_000
    c.batch = 32
    c.autoencoder = {
        "net": "dense",
        "widths": (100, 300),
        "activation": "selu",
        "latent_activation": "sigmoid",
        "output": "sigmoid",
    }
    c.penalty.update(name="l1", weight=1e-3)
    c.optimizer.update(name="sgd", learning_rate=1.0)
    return variant(c, name, smoke=SMOKE | {"autoencoder.widths": (8, 4)})
