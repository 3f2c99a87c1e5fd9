"""Holes filled: the center of clothes at 32x32; the input is the rest and a mask.

`freeform` has holes of brush strokes; `l1` has no critic in the generator's loss.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import translation


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = translation.config()
    c.data.name = "hole:fashion_mnist_10k"
    c.data.size, c.data.resize = "32", "frame"
    c.steps, c.batch, c.samples = 4_000, 16, 16
    c.generator = {"net": "unet", "channels": (32, 64, 128, 128), "dropout_stages": 1}
    c.critic = {"net": "patchgan", "channels": (32, 64)}
    smoke = SMOKE | {"generator.channels": (4, 8), "critic.channels": (4, 8)}
    freeform = {"data.name": "freeform:fashion_mnist_10k"}
    return variant(c, name, smoke=smoke, freeform=freeform, l1={"loss.adversarial": 0.0})
