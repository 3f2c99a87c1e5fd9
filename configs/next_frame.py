"""The next frame of a film after four: clothes that move and bounce at 64x64, a pix2pix of an hour on two cores.

`l1` has no critic in the generator's loss.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import translation


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = translation.config()
    c.data.name = "frames:moving_clothes"
    c.steps, c.batch, c.samples = 4_000, 8, 16
    c.generator = {"net": "unet", "channels": (32, 64, 128, 128), "dropout": 0.0}
    c.critic = {"net": "patchgan", "channels": (32, 64)}
    smoke = SMOKE | {"data.split": "train[:60]", "generator.channels": (4, 8), "critic.channels": (4, 8)}
    return variant(c, name, smoke=smoke, l1={"loss.adversarial": 0.0})
