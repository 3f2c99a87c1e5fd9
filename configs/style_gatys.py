"""Gatys' style transfer: a photograph in the manner of another image, by descent on its pixels.

Your own: --config.data.name=image:photo.jpg --config.style.images='("painting.jpg",)'. `paper` is VGG19 from a
file, from noise, by L-BFGS, with the paper's losses and one of its ratios, not run here. Source: arXiv:1508.06576,
section 2. Paper: VGG19; here: SqueezeNet, and from the content in the style's colors, at half the size first, since
its descent keeps a content's colors where nothing else is at stake.
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
