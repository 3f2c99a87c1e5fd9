"""The least-squares GAN on the demo's nets, with Adam 2e-4 (0.5, 0.999).

Source: arXiv:1611.04076, eq. 9. Only small runs were made here.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import gan


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = gan.config()
    c.steps = 6_000
    c.batch = 64
    c.generator = {
        "net": "dcgan",
        "channels": (64, 32),
        "kernel": 4,
        "activation": "relu",
        "order": "paper",
        "kernel_init": "normal",
    }
    c.critic = {"net": "dcgan", "channels": (32, 64), "kernel": 4, "dropout": 0.0, "kernel_init": "normal"}
    c.loss.name = "least_squares"
    return variant(c, name, smoke=SMOKE | {"generator.channels": (8, 4), "critic.channels": (4, 8)})
