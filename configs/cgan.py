"""A conditional GAN of clothes on the demo's nets: the class is a one-hot, concatenated to the inputs of both nets.

The generator's one-hot is appended to the latent, the critic's is appended to the image as constant channels.
Source: arXiv:1411.1784. `projection` has class-conditional batch normalization and the projection critic of
arXiv:1802.05637; `auxiliary` has a critic that classifies (AC-GAN, arXiv:1610.09585).
"""

from genjax.config import SMOKE, variant
from genjax.tasks import gan


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = gan.config()
    c.steps = 6_000
    c.batch = 50
    c.classes = 10
    c.samples = 100
    c.generator = {
        "net": "dcgan",
        "channels": (64, 32),
        "kernel": 4,
        "activation": "relu",
        "order": "paper",
        "kernel_init": "normal",
        "conditioning": "concat",
    }
    c.critic = {"net": "dcgan", "channels": (32, 64), "kernel": 4, "dropout": 0.0, "kernel_init": "normal"}
    c.critic["conditioning"] = "concat"
    c.penalty.r1 = 0.04
    c.optimizer.generator.learning_rate = 8e-4
    c.ema.half_life = 30_000.0
    projection = {"generator.conditioning": "batch_norm", "critic.conditioning": "projection"}
    auxiliary = {"critic.conditioning": "auxiliary"}
    smoke = SMOKE | {"samples": 20, "generator.channels": (8, 4), "critic.channels": (4, 8)}
    return variant(c, name, smoke=smoke, projection=projection, auxiliary=auxiliary)
