"""pix2pix at 256x256, with the constants of its paper and its authors' code; not run here.

Source: arXiv:1611.07004, sections 3 and 6.2; learning rates, weights and epsilon as in the authors' train.lua. Paper:
200 epochs of 400 facades, 80,000 steps of one pair; here: the same number of steps for any data. The critic's loss is
halved, as there. Paper: both losses are of one translation; here: of two, with other noise, as in all GANs of this
project.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import translation


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = translation.config()
    c.data.name = "edges:emoji_64"  # for pairs of your own, aligned:folder:INPUTS,folder:TARGETS
    c.data.size, c.data.upscale, c.data.channels, c.data.mirror = "256", True, 3, True
    c.steps, c.batch, c.jitter = 80_000, 1, 30
    c.generator = {"net": "unet", "channels": (64, 128, 256, 512, 512, 512, 512, 512), "dropout": 0.5}
    c.critic = {"net": "patchgan", "channels": (64, 128, 256, 512)}
    for net in ("generator", "critic"):
        c.optimizer[net].update(learning_rate=2e-4, b1=0.5, b2=0.999, epsilon=1e-8)
    c.sample_every, c.save_every, c.samples = 2_000, 5_000, 8
    smoke = SMOKE | {"data.size": "32", "batch": 2}
    smoke |= {"generator.channels": (4, 8, 8), "critic.channels": (4, 8)}
    return variant(c, name, smoke=smoke)
