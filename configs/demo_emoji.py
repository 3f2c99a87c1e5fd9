"""The demo in color: 1,720 emoji of 32x32, within ten minutes on two cores.

`dcgan_emoji.py` with half its batch and three times the steps, twice its rates, and the minibatch's deviation in the
critic. Least squares and spectral normalization, the demo's choice on clothes, are worse here (docs/gans.md).
"""

from genjax.config import SMOKE, variant
from genjax.tasks import gan


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = gan.config()
    c.steps = 19_000
    c.batch = 16
    c.data.name = "emoji_32"
    c.generator = {
        "net": "dcgan",
        "channels": (128, 64, 32),
        "kernel": 4,
        "activation": "relu",
        "order": "paper",
        "kernel_init": "normal",
    }
    c.critic = {
        "net": "dcgan",
        "channels": (32, 64, 128),
        "kernel": 4,
        "dropout": 0.0,
        "minibatch": "stddev",
        "kernel_init": "normal",
    }
    c.augment = "color,translation,cutout"
    c.penalty.r1 = 0.04
    c.optimizer.generator.learning_rate = 8e-4
    c.optimizer.critic.learning_rate = 4e-4
    c.ema.half_life = 20_000.0  # images
    c.sample_every = 1_000
    c.save_every = 5_000
    return variant(c, name, smoke=SMOKE | {"generator.channels": (8, 8, 4), "critic.channels": (4, 8, 8)})
