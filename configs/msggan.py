"""MSG-GAN at 32x32: images of all sizes from 4x4 on are inputs of the critic.

Source: arXiv:1903.06048. Paper (first version): the relativistic hinge loss, RMSProp 3e-3 and no penalty; here: Adam
1e-3 (0, 0.99) and the loss of ProGAN, WGAN-GP. With the relativistic hinge loss and a light R1 the critic won: after
2,000 steps its Fréchet distance was 5,840, with WGAN-GP 3,461.
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
    c.loss.update(name="wasserstein", drift=1e-3)
    c.penalty.gradient_penalty = 10.0
    for net in ("generator", "critic"):
        c.optimizer[net].update(learning_rate=1e-3, b1=0.0, b2=0.99, epsilon=1e-8)
    c.ema.half_life = 10_000.0
    small = {"generator.channels": (8, 8, 8, 4), "critic.channels": (8, 8, 8, 4)}
    return variant(c, name, smoke=SMOKE | small)
