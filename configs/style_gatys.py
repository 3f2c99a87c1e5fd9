"""Gatys' style transfer at 256x256: a photograph in the manner of a painting, by descent on its pixels.

Give the pictures: --config.data.name=picture:photo.jpg --config.style.pictures='("painting.jpg",)'. `paper` has VGG19
from a file, from noise, by L-BFGS. Source: arXiv:1508.06576.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import style


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = style.config()
    c.style.weight = 10.0
    c.variation.weight = 0.1
    return variant(c, name)
