"""The demo: a GAN that draws clothes after minutes on a laptop.

A DCGAN of half the textbook's width, with kernel 4 (a multiple of the stride 2), the paper's order of normalization and
activation, N(0, 0.02) weights, Adam with a learning rate of the generator four times the critic's, a light R1 penalty,
and an averaged generator. `spectral` has the least-squares loss and spectral normalization in place of R1: nearer to
the data in the same time (docs/ablations.md).
"""

from genjax.config import SMOKE, variant
from genjax.tasks import gan


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = gan.config()
    c.steps = 6_000
    c.batch = 64
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
    c.critic = {"net": "dcgan", "channels": (32, 64), "kernel": 4, "dropout": 0.0, "kernel_init": "normal"}
    c.penalty.r1 = 0.04
    c.optimizer.generator.learning_rate = 8e-4
    c.optimizer.critic.learning_rate = 2e-4
    c.ema.half_life = 30_000.0  # images
    c.sample_every = 250
    if name == "spectral":
        c.critic = c.critic.to_dict() | {"spectral": True}
        c.loss.name, c.penalty.r1 = "least_squares", 0.0
    small = {"generator.channels": (8, 4), "critic.channels": (4, 8)}
    return variant(c, name, smoke=SMOKE | small, spectral={})
