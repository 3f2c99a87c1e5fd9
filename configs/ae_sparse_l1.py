"""A sparse autoencoder: 300 sigmoid latents, of which an L1 penalty leaves few active.

The book's weight is 1e-3 on the sum over latents and examples, which its library divides by the batch: as here. On the
whole Fashion-MNIST as configs/ae_stacked.py.
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
