"""Colors for gray images: emoji at 64x64 from their luma, a pix2pix of minutes on two cores.

`l1` has no critic in the generator's loss: the baseline of the paper's section 4.2. `lab` is given lightness and makes
CIE's a and b, as the paper's colors are made; the others make red, green and blue of luma.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import translation


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = translation.config()
    c.data.name = "gray:emoji_64"
    c.data.mirror = True
    c.steps, c.batch, c.samples = 2_000, 8, 16
    c.generator = {"net": "unet", "channels": (32, 64, 128, 128), "dropout_stages": 1}
    c.critic = {"net": "patchgan", "channels": (32, 64)}
    smoke = SMOKE | {"generator.channels": (4, 8), "critic.channels": (4, 8)}
    return variant(c, name, smoke=smoke, l1={"loss.adversarial": 0.0}, lab={"data.name": "lab:emoji_64"})
