"""A DCGAN in color, on 1,720 emoji of 32x32.

A critic memorizes a set as small as this one, so its inputs are augmented (arXiv:2006.10738), and its
gradient on reals is penalized (R1, arXiv:1801.04406).
"""

from genjax.config import SMOKE, variant
from genjax.tasks import gan


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = gan.config()
    c.steps = 6_000
    c.batch = 32
    c.data.name = "emoji_32"
    c.generator = {
        "net": "dcgan",
        "channels": (128, 64, 32),
        "kernel": 4,
        "activation": "relu",
        "order": "paper",
        "kernel_init": "normal",
    }
    c.critic = {"net": "dcgan", "channels": (32, 64, 128), "kernel": 4, "dropout": 0.0, "kernel_init": "normal"}
    c.augment = "color,translation,cutout"
    c.penalty.r1 = 0.04
    c.optimizer.generator.learning_rate = 4e-4
    c.ema.half_life = 20_000.0
    return variant(c, name, smoke=SMOKE | {"generator.channels": (8, 8, 4), "critic.channels": (4, 8, 8)})
