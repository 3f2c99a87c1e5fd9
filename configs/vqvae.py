"""A small VQ-VAE of clothes: 7x7 maps of 64 codes, 294 bits per image of 6,272.

The net is the paper's (arXiv:1711.00937, section 4.1) with 32 and 64 channels in place of 256; Adam 1e-3, batch 64.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import vqvae


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = vqvae.config()
    c.steps = 3_000
    c.batch = 64
    c.vqvae = {"net": "residual", "channels": (32, 64), "blocks": 2, "latent": 16, "kernel": 4, "output": "sigmoid"}
    return variant(c, name, smoke=SMOKE | {"vqvae.channels": (4, 8)})
