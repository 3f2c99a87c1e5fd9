"""The convolutional autoencoder: 16-32-64 maps of 3x3 with maximum pooling, and transposed convolutions back.

SELU, SGD of rate 1. The book's 5 epochs of the whole Fashion-MNIST: as configs/ae_stacked.py, with
--config.steps=8595. Repeated pixels and convolutions in place of transposed ones: --config.autoencoder.up=upsample.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import autoencoder


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = autoencoder.config()
    c.steps = 3_000
    c.batch = 32
    c.autoencoder = {"net": "conv", "channels": (16, 32, 64), "activation": "selu", "output": "sigmoid"}
    c.optimizer.update(name="sgd", learning_rate=1.0)
    return variant(c, name, smoke=SMOKE | {"autoencoder.channels": (4, 8)})
