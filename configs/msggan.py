"""MSG-GAN at 32x32: images of all sizes from 4x4 on are inputs of the critic, with the relativistic hinge loss.

Source: arXiv:1903.06048. Paper (first version): this loss, RMSProp 3e-3 and no penalty; here: Adam 1e-3 (0, 0.99), as
in the later version, and a light R1. It was not trained to its end here.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import msggan


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = msggan.config()
    c.data.size, c.data.resize = "32", "frame"
    c.latent = 64
    c.generator = {"net": "msggan", "channels": (64, 64, 48, 24)}
    c.critic = {"net": "msggan", "channels": (64, 64, 48, 24)}
    c.steps, c.batch = 10_000, 16
    c.loss.name = "relativistic_hinge"
    c.penalty.r1 = 0.02
    for net in ("generator", "critic"):
        c.optimizer[net].update(learning_rate=1e-3, b1=0.0, b2=0.99, epsilon=1e-8)
    c.ema.half_life = 10_000.0
    small = {"generator.channels": (8, 8, 8, 4), "critic.channels": (8, 8, 8, 4)}
    return variant(c, name, smoke=SMOKE | small)
