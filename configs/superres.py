"""Super-resolution by a factor of 4: emoji at 64x64 from 16x16, a pix2pix of minutes on two cores.

`l1` has no critic in the generator's loss: the baseline of the paper's section 4.2. `rdn` has a residual dense net
(arXiv:1802.08797), which computes at the small size.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import translation


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = translation.config()
    c.data.name = "small4:emoji_64"
    c.data.mirror = True
    c.steps, c.batch, c.samples = 2_000, 8, 16
    c.generator = {"net": "unet", "channels": (32, 64, 128, 128), "dropout": 0.0}
    c.critic = {"net": "patchgan", "channels": (32, 64)}
    if name == "rdn":
        c.generator = {"net": "rdn", "scale": 4, "blocks": 4, "convs": 3, "growth": 16, "width": 32}
    smoke = SMOKE | {"generator.channels": (4, 8), "critic.channels": (4, 8)}
    return variant(c, name, smoke=smoke, l1={"loss.adversarial": 0.0}, rdn={})
