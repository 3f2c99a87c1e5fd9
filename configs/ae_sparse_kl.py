"""A sparse autoencoder: 300 sigmoid latents, each active a tenth of the time, by a Kullback-Leibler penalty.

Book: a weight of 0.05, which its library divides by the batch of 32; here: the quotient.
On the whole Fashion-MNIST as configs/ae_stacked.py.
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
    c.penalty.update(name="kl", weight=0.05 / 32, target=0.1)
    c.optimizer.update(name="sgd", learning_rate=1.0)
    return variant(c, name, smoke=SMOKE | {"autoencoder.widths": (8, 4)})
