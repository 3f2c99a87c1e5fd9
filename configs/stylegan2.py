"""StyleGAN2 at 32x32: emoji in color, with adaptive augmentation.

Source: arXiv:1912.04958, appendix B: Adam 2e-3 (0, 0.99, 1e-8), the non-saturating loss, R1 every 16th step and path
length regularization every 4th, each in a separate optimizer step. Paper: 512 channels; here: fewer, and an R1 weight
for small images. Adaptive augmentation: arXiv:2006.06676; here p changes five times as fast. `ffhq` is the paper's
config F at 1024x1024, without augmentation, with the arithmetic of its authors' code (docs/parity.md), not run here.
`conditional` makes clothes by class, with the mapping of classes and the projection of the code of arXiv:2006.06676.
"""

import math

from genjax.config import SMOKE, variant
from genjax.nets.stylegan2 import CHANNELS
from genjax.tasks import stylegan2


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = stylegan2.config()
    c.data.name = "emoji_32"
    c.latent = 64
    c.generator = {"net": "stylegan2", "channels": (64, 64, 48, 24), "width": 64, "layers": 8}
    c.critic = {"net": "stylegan2", "channels": (64, 64, 48, 24)}
    c.steps, c.batch = 10_000, 16
    c.penalty.update(r1=0.2, interval=16, separate_step=True)
    for net in ("generator", "critic"):
        c.optimizer[net].update(learning_rate=2e-3, b1=0.0, b2=0.99, epsilon=1e-8)
    c.ema.half_life = 10_000.0
    c.augment, c.ada.kimg = "ada", 100.0
    if name == "ffhq":
        c.data.update(name="folder:ffhq", size="1024", mirror=True)
        c.latent = 512
        c.generator = {"net": "stylegan2", "channels": CHANNELS, "width": 512, "stored_noise": True}
        c.critic = {"net": "stylegan2", "channels": CHANNELS, "minibatch": "stddev_strided"}
        c.steps, c.batch, c.penalty.r1, c.augment = 781_250, 32, 10.0, ""
        c.eval.noise, c.penalty.before_augmentation = "random", True
        c.critic_moves_statistics = True
        c.ema.update(ramp=math.inf, statistics="copied")
    if name == "conditional":
        c.data.update(name="fashion_mnist_10k", size="32", resize="frame")
        c.classes, c.samples, c.augment = 10, 100, ""
    small = {"generator.channels": (8, 8, 8, 4), "critic.channels": (8, 8, 8, 4), "generator.width": 8}
    return variant(c, name, smoke=SMOKE | small, ffhq={}, conditional={})
