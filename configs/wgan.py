"""The Wasserstein GAN with weight clipping, five critic steps per generator step.

Source: arXiv:1701.07875, algorithm 1, with its constants: RMSProp 5e-5, weights clipped to [-0.01, 0.01], 5 critic
steps, batch 64. Paper: batch normalization in the critic as well; here: none, so that the critic's output for an
example does not depend on the batch. Only small runs were made here.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import gan


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = gan.config()
    c.steps = 10_000
    c.batch = 64
    c.generator = {"net": "dcgan", "channels": (128, 64), "kernel": 4, "activation": "relu", "order": "paper"}
    c.critic = {"net": "dcgan", "channels": (64, 128), "kernel": 4, "dropout": 0.0}
    c.critic_steps = 5
    c.loss.name = "wasserstein"
    for net in ("generator", "critic"):
        c.optimizer[net].update(name="rmsprop", learning_rate=5e-5)
    c.optimizer.critic.weight_clip = 0.01
    return variant(c, name, smoke=SMOKE | {"critic_steps": 2, "generator.channels": (8, 4), "critic.channels": (4, 8)})
