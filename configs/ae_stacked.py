"""The stacked autoencoder 784-100-30-100-784: SELU, binary cross-entropy, SGD of rate 1.5.

On the whole Fashion-MNIST, 10 epochs as in the book: --config.data.name=fashion_mnist
--config.data.split='train[:55000]' --config.eval.heldout='train[55000:]' --config.steps=17190.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import autoencoder


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = autoencoder.config()
    c.steps = 6_000
    c.batch = 32
    c.autoencoder = {"net": "dense", "widths": (100, 30), "activation": "selu", "output": "sigmoid"}
    c.optimizer.update(name="sgd", learning_rate=1.5)
    return variant(c, name, smoke=SMOKE | {"autoencoder.widths": (8, 4)})
