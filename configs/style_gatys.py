"""Gatys' style transfer: a photograph in the style of another image, by gradient descent on its pixels.

For your own images: --config.data.name=image:photo.jpg --config.style.images='("painting.jpg",)'. `paper` uses VGG19
from a file, starts from noise, and descends by L-BFGS with the paper's losses and one of its ratios; not run here.
Source: arXiv:1508.06576, section 2. Paper: VGG19; here: SqueezeNet, starting at half the size from the content in the
style's colors, because its descent keeps the colors of the start in plain areas.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import style


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = style.config()
    c.data.name, c.data.size, c.data.upscale = "image:docs/images/style/cat.jpg", "256", True
    c.style.images = ("docs/images/style/glass.jpg",)
    c.style.weight, c.variation.weight = 30.0, 1.0
    c.coarse, c.steps = (2,), 150
    paper = {"encoder": "vgg:vgg19.pth", "start": "noise", "relative": False, "coarse": (), "optimizer.name": "lbfgs"}
    paper |= {"content.weight": 1e-3, "style.weight": 1.0, "variation.weight": 0.0, "steps": 500}
    smoke = SMOKE | {"batch": 1, "samples": 1, "data.size": "40", "coarse_steps": 2}
    return variant(c, name, smoke=smoke, paper=paper)
