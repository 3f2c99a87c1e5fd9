"""StyleGAN at 32x32: emoji in color, growing from 8x8 pixels. Variants A to F are those of the paper's table 1.

A is ProGAN; B adds bilinear resampling, C the mapping network and styles, D a constant input in place of the latent, E
noise, and F, the default, mixing of styles. A is trained with WGAN-GP, B to F with the non-saturating loss and R1.
`wgan_gp` is F with A's loss, growing from 4x4 pixels. `ffhq` is the paper's run at 1024x1024, with the arithmetic of
its authors' code (docs/parity.md), not run here. `conditional` is F for clothes by class, with the embedding of classes
and the critic's logit per class of its authors' code.
Source: arXiv:1812.04948, sections 1 and 2, appendix C. Paper: 512 channels and 25 million reals; here: fewer of both,
and R1's weight for small images.
"""

import math

from genjax.config import SMOKE, variant
from genjax.tasks import progressive

SIDES = {4: 512, 8: 512, 16: 512, 32: 512, 64: 256, 128: 128, 256: 64, 512: 32, 1024: 16}
SMALL = (64, 64, 48, 24)


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    letter = name if name in ("A", "B", "C", "D", "E") else "F"
    c = progressive.config()
    c.data.name = "emoji_32"
    c.latent = 64
    c.generator, c.critic = nets(letter, SMALL, width=64)
    c.growth.update(start=8, fade=40.0, stable=40.0)
    c.steps, c.batch = 6_000, 16
    if name in ("A", "wgan_gp"):
        c.loss.update(name="wasserstein", drift=1e-3)
        c.penalty.gradient_penalty = 10.0
    else:
        c.penalty.r1 = 0.2
    for net in ("generator", "critic"):
        c.optimizer[net].update(learning_rate=1e-3, b1=0.0, b2=0.99, epsilon=1e-8)
    c.ema.half_life = 10_000.0
    if name == "wgan_gp":
        c.growth.start, c.steps = 4, 7_000
    if name == "ffhq":
        c.data.update(name="folder:ffhq", size="1024", mirror=True)
        c.latent = 512
        c.generator, c.critic = nets("F", tuple(SIDES.values()), width=512)
        c.generator["stored_noise"] = True
        c.critic.update(minibatch="stddev_strided", order="code")
        c.growth.update(fade=600.0, stable=600.0, batches=(256, 128, 64, *[32] * 5), reset_after_fade=True)
        c.growth.learning_rates = (*[1e-3] * 4, 1.5e-3, 2e-3, 3e-3, 3e-3)
        c.steps, c.batch, c.penalty.r1 = 518_750, 32, 10.0
        c.eval.noise, c.critic_moves_statistics = "random", True
        c.ema.update(ramp=math.inf, statistics="copied")
    if name == "conditional":
        c.data.update(name="fashion_mnist_10k", size="32", resize="frame")
        c.classes, c.samples = 10, 100
        c.critic.conditioning = "class_logit"
    smoke = SMOKE | {"generator.channels": (8, 8, 8, 4), "critic.channels": (8, 8, 8, 4), "growth.start": 32}
    return variant(c, name, smoke=smoke, wgan_gp={}, ffhq={}, conditional={}, **{letter: {} for letter in "ABCDEF"})


def nets(letter, channels, width):
    """The generator and the critic of one row of the table."""
    bilinear = letter != "A"
    critic = {"net": "progan", "channels": channels, "bilinear": bilinear}
    if letter in "AB":
        return {"net": "progan", "channels": channels, "bilinear": bilinear}, critic
    switches = {"constant_input": letter >= "D", "noise": letter >= "E", "mixing": 0.9 if letter == "F" else 0.0}
    return {"net": "stylegan", "channels": channels, "width": width, **switches}, critic
