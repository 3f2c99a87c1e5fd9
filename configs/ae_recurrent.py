"""The recurrent autoencoder: LSTM 100 - LSTM 30 - the last state at every step - LSTM 100 - dense; rows are steps.

On the whole Fashion-MNIST, 10 epochs as in the book: --config.data.name=fashion_mnist
--config.data.split='train[:55000]' --config.eval.heldout='train[55000:]' --config.steps=17190.
For series of your own: --config.data.name=series:FILE, see docs/data.md.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import autoencoder


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = autoencoder.config()
    c.steps = 6_000
    c.batch = 32
    c.autoencoder = {"net": "recurrent", "widths": (100, 30), "output": "sigmoid"}
    c.optimizer.update(name="sgd", learning_rate=0.1)
    return variant(c, name, smoke=SMOKE | {"autoencoder.widths": (8, 4)})
