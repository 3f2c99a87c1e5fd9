"""The variational autoencoder of Keras' example: two strided convolutions, 16 hidden units, 2 latents.

Cross-entropy summed over pixels plus KL, Adam, batch 128; there 30 epochs of 70,000 digits.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import vae


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = vae.config()
    c.steps = 3_000
    c.batch = 128
    c.vae = {"net": "conv", "channels": (32, 64), "kernel": 3, "width": 16, "latent": 2, "activation": "relu"}
    c.elbo.reduction = "sum"
    c.optimizer.update(name="adam", learning_rate=1e-3)
    return variant(c, name, smoke=SMOKE | {"vae.channels": (4, 8)})
