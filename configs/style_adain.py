"""AdaIN at 128x128: any content in any style, in one pass. docs/style.md names the packaged decoder's training images.

Source: arXiv:1703.06868, section 6: Adam, crops out of images twice as large. Paper: VGG19, 8 crops of 256 pixels out
of 512, lambda 10, learning rate 1e-4; here: SqueezeNet, 4 crops of 128 pixels out of 256, lambda 5, and a learning rate
that decays from 1e-3, for minutes on two cores, and the style measured of an image that is moved by up to 7 pixels,
since SqueezeNet's first layers skip pixels: without, the decoder draws lattices. `paper` has the paper's settings, for
a file of its authors' normalized weights; not run here.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import adain


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = adain.config()
    c.data.name = "pairs:shapes_256,textures_256"
    c.steps, c.batch, c.style_weight, c.jitter = 8_000, 4, 5.0, 7
    c.optimizer.update(learning_rate=1e-3, decay=8_000)
    paper = {
        "encoder": "vgg:vgg_normalized.pth",
        "data.size": "512",
        "crop": 256,
        "steps": 160_000,
        "batch": 8,
        "style_weight": 10.0,
        "jitter": 0,
    }
    paper |= {"data.name": "pairs:folder:contents,folder:styles", "optimizer.learning_rate": 1e-4, "optimizer.decay": 0}
    smoke = SMOKE | {"data.size": "32", "crop": 24, "batch": 2, "widths": ((8,), (8,), (8,))}
    return variant(c, name, smoke=smoke, paper=paper)
