"""The demo: clothes in minutes on a laptop. A narrow DCGAN, kernel 4, R1 on reals, an averaged generator."""

from genjax.config import SMOKE, variant
from genjax.tasks import gan


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = gan.config()
    c.steps = 5_000
    c.batch = 64
    c.latent = 64
    c.generator = {"net": "dcgan", "channels": (64, 32), "kernel": 4, "kernel_init": "normal"}
    c.critic = {"net": "dcgan", "channels": (32, 64), "kernel": 4, "dropout": 0.0, "kernel_init": "normal"}
    c.loss.r1 = 0.1
    c.optimizer.generator.learning_rate = 4e-4
    c.optimizer.critic.learning_rate = 2e-4
    c.ema.half_life = 10_000.0
    c.sample_every = 250
    return variant(c, name, smoke=SMOKE | {"generator.channels": (8, 4), "critic.channels": (4, 8)})
