"""StyleGAN2 with adaptive augmentation, the published settings: emoji in color at 32x32 by the rules of `auto`.

Source: arXiv:2006.06676, appendices B and C, and train.py of its authors' PyTorch code: `auto`, `auto256` and
`auto256x8` (256 pixels on 8 devices), `paper256`, `paper512`, `paper1024`, `cifar`, and `cifar_conditional`, which has
classes. All of them clamp convolutions at 256 and have the authors' arithmetic (docs/parity.md). Their code computes
the four largest sizes in float16; here all sizes are in `dtype`. None of them was run to its end here.
"""

import math
from typing import NamedTuple

from genjax.config import SMOKE, variant
from genjax.tasks import stylegan2


class Setting(NamedTuple):
    """The numbers in which the published settings differ."""

    pixels: int
    batch: int
    group: int  # examples per group of the minibatch's standard deviation
    channels: int  # of a stage: this number divided by its side, and 512 at most
    learning_rate: float
    gamma: float  # weight of R1
    half_life: float  # of the averaged generator, in thousands of images
    ramp: float  # bound of the half-life, as a share of the images so far
    layers: int  # of the mapping
    kimg: int = 25_000  # thousands of images


PUBLISHED = {
    "paper256": Setting(256, 64, 8, 16_384, 2.5e-3, 1.0, 20.0, math.inf, 8),
    "paper512": Setting(512, 64, 8, 32_768, 2.5e-3, 0.5, 20.0, math.inf, 8),
    "paper1024": Setting(1024, 32, 4, 32_768, 2e-3, 2.0, 10.0, math.inf, 8),
    "cifar": Setting(32, 64, 32, 32_768, 2.5e-3, 0.01, 500.0, 0.05, 2, kimg=100_000),
}
AUTO = {f"auto{2**k}{end}": (2**k, n) for k in range(3, 11) for end, n in (("", 1), ("x2", 2), ("x4", 4), ("x8", 8))}
"""Names of `auto`'s settings: pixels, and devices that the authors' rules divide a batch among."""


def auto(pixels: int, devices: int) -> Setting:
    """The setting for images of some pixels on some devices, by the authors' rules."""
    batch = max(min(devices * min(4096 // pixels, 32), 64), devices)
    return Setting(
        pixels,
        batch,
        group=min(batch // devices, 4),
        channels=32_768 if pixels >= 512 else 16_384,
        learning_rate=2e-3 if pixels >= 1024 else 2.5e-3,
        gamma=0.0002 * pixels**2 / batch,
        half_life=batch * 10 / 32,
        ramp=0.05,
        layers=2,
    )


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    setting = PUBLISHED.get(name.removesuffix("_conditional")) or auto(*AUTO.get(name, (32, 1)))
    c = stylegan2.config()
    c.data.update(name="folder:images", size=str(setting.pixels))
    if setting.pixels == 32:
        c.data.update(name="tfds:cifar10" if name.startswith("cifar") else "emoji_32", size="")
    sides = [4 * 2**stage for stage in range(round(math.log2(setting.pixels / 4)) + 1)]
    nets = {"net": "stylegan2", "channels": tuple(min(setting.channels // side, 512) for side in sides)}
    nets["conv_clamp"] = 256.0
    c.generator = nets | {"width": 512, "layers": setting.layers, "stored_noise": True}
    c.critic = nets | {"minibatch": "stddev_strided", "minibatch_group": setting.group}
    c.steps, c.batch = setting.kimg * 1000 // setting.batch, setting.batch
    c.penalty.update(r1=setting.gamma, interval=16, separate_step=True, before_augmentation=True)
    for net in ("generator", "critic"):
        c.optimizer[net].update(learning_rate=setting.learning_rate, b1=0.0, b2=0.99, epsilon=1e-8)
    c.ema.update(half_life=1000 * setting.half_life, ramp=setting.ramp, statistics="copied")
    c.critic_moves_statistics, c.eval.noise, c.augment = True, "random", "ada"
    if name.startswith("cifar"):  # "orig" in the authors' code: no residuals, mixed styles or path lengths
        c.critic.residual, c.generator.mixing, c.path_length.weight = False, 0.0, 0.0
    small = {"generator.channels": (8, 8, 8, 4), "critic.channels": (8, 8, 8, 4), "generator.width": 8}
    return variant(
        c,
        name,
        smoke=SMOKE | small,
        cifar_conditional={"classes": 10},
        **{published: {} for published in (*PUBLISHED, *AUTO)},
    )
