"""AdaIN at 128x128: any content in any style, at once. See docs/style.md for pictures to train on.

Source: arXiv:1703.06868, section 6: Adam, batches of 8 pairs, crops out of pictures twice as large, lambda 10. Paper:
VGG19 and 256x256 crops of 512; `paper` is that, for a file of the authors' normalised weights, not run here.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import adain


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = adain.config()
    c.data.name = "pairs:emoji_64,shapes_64"
    c.data.size, c.data.upscale = "256", True
    c.steps, c.batch = 10_000, 8
    c.optimizer.learning_rate = 1e-3
    c.optimizer.decay = 10_000
    paper = {"encoder": "vgg:vgg_normalised.pth", "data.size": "512", "crop": 256, "steps": 160_000}
    paper |= {"data.name": "pairs:folder:contents,folder:styles", "optimizer.learning_rate": 1e-4}
    smoke = {"data.size": "32", "data.name": "pairs:shapes_32,shapes_32", "crop": 24, "batch": 2}
    smoke |= {"widths": ((8,), (8,), (8,), (8,))}
    return variant(c, name, smoke=SMOKE | smoke, paper=paper | {"optimizer.decay": 0})
