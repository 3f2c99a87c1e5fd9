"""The demo: a GAN that draws clothes after minutes on a laptop.

A DCGAN of half the textbook's width with one more stage in the critic, kernel 4 (a multiple of the stride 2), the
paper's order of normalization and activation, N(0, 0.02) weights, least squares, spectral normalization of the critic,
an averaged generator, and many steps of a small batch: docs/ablations.md has what each of these brings. `r1` is the
base of the other ablations: the non-saturating loss with a light R1 penalty, two stages, four times the batch.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import gan


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = gan.config()
    c.steps = 18_000
    c.batch = 16
    c.latent = 64
    c.generator = {
        "net": "dcgan",
        "channels": (64, 32),
        "kernel": 4,
        "order": "paper",
        "activation": "relu",
        "output": "tanh",
        "kernel_init": "normal",
    }
    c.critic = {
        "net": "dcgan",
        "channels": (32, 64, 128),
        "kernel": 4,
        "dropout": 0.0,
        "spectral": True,
        "kernel_init": "normal",
    }
    c.loss.name = "least_squares"
    c.optimizer.generator.learning_rate = 8e-4
    c.optimizer.critic.learning_rate = 4e-4
    c.ema.half_life = 30_000.0  # images
    c.sample_every = 1_000
    c.save_every = 5_000
    small = {"generator.channels": (8, 4), "critic.channels": (4, 8)}
    r1 = {
        "batch": 64,
        "steps": 6_000,
        "critic.channels": (32, 64),
        "critic.spectral": False,
        "loss.name": "non_saturating",
        "penalty.r1": 0.04,
        "optimizer.critic.learning_rate": 2e-4,
        "sample_every": 250,
        "save_every": 1_000,
    }
    return variant(c, name, smoke=SMOKE | small, r1=r1)
