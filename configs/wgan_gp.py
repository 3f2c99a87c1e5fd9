"""WGAN-GP: the DCGAN's generator, and a critic without batch normalization whose gradient norm is penalized toward 1.

Source: arXiv:1704.00028, algorithm 1: lambda = 10, 5 critic steps, learning rate 1e-4. Paper: Adam (0, 0.9) in the
algorithm; here: (0.5, 0.9), as in its image experiments.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import gan


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = gan.config()
    c.steps = 10_000
    c.batch = 64
    c.latent = 100
    c.generator = {"net": "dcgan", "channels": (128, 64), "kernel": 5, "activation": "selu", "output": "tanh"}
    c.critic = {"net": "dcgan", "channels": (64, 128), "kernel": 5, "dropout": 0.0}
    c.critic_steps = 5
    c.loss.name = "wasserstein"
    c.penalty.gradient_penalty = 10.0
    for net in ("generator", "critic"):
        c.optimizer[net].update(name="adam", learning_rate=1e-4, b1=0.5, b2=0.9)
    return variant(c, name, smoke=SMOKE | {"critic_steps": 2, "generator.channels": (8, 4), "critic.channels": (4, 8)})
