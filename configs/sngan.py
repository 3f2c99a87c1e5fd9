"""SNGAN on a small DCGAN's nets: a spectrally normalized critic and the hinge loss.

Source: arXiv:1802.05957, eqs. 16 and 17; Adam 2e-4 (0.5, 0.999) and one critic step are its setting C. Only small runs
were made here.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import gan


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = gan.config()
    c.steps = 6_000
    c.batch = 64
    c.generator = {"net": "dcgan", "channels": (64, 32), "kernel": 4, "activation": "relu", "order": "paper"}
    c.critic = {"net": "dcgan", "channels": (32, 64), "kernel": 4, "dropout": 0.0, "spectral": True}
    c.loss.name = "hinge"
    return variant(c, name, smoke=SMOKE | {"generator.channels": (8, 4), "critic.channels": (4, 8)})
