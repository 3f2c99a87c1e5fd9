"""The textbook's variational autoencoder 784-150-100-10-100-150-784: SELU, RMSProp, batch 128.

Its cross-entropy is a mean over pixels, and so is the latent loss, summed over latents and divided by 784.
On the whole Fashion-MNIST, 25 epochs as in the book: --config.data.name=fashion_mnist
--config.data.split='train[:55000]' --config.eval.heldout='train[55000:]' --config.steps=10750.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import vae


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = vae.config()
    c.steps = 4_000
    c.batch = 128
    c.vae = {"net": "dense", "widths": (150, 100, 10), "activation": "selu", "output": "sigmoid"}
    c.elbo.reduction = "mean"
    c.optimizer.update(name="rmsprop", learning_rate=1e-3)
    return variant(c, name, smoke=SMOKE | {"vae.widths": (8, 4)})
