"""The stacked autoencoder 784-100-30-100-784, trained one layer at a time, then as a whole.

784-100-784 by binary cross-entropy and SGD of rate 1.5; 100-30-100 on its latents by squared error and rate 0.05; then
all by binary cross-entropy and rate 0.1.
On the whole Fashion-MNIST, 10 epochs each as in the book: --config.data.name=fashion_mnist
--config.data.split='train[:55000]' --config.eval.heldout='train[55000:]' --config.steps=17190
--config.finetune.steps=17190.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import greedy


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = greedy.config()
    c.steps = 6_000
    c.batch = 32
    c.widths = (100, 30)
    c.optimizer.update(name="sgd", learning_rates=(1.5, 0.05))
    c.finetune.update(steps=6_000, learning_rate=0.1)
    return variant(c, name, smoke=SMOKE | {"widths": (8, 4), "finetune.steps": 4})
