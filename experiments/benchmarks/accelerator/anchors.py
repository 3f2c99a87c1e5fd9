"""Published times of the settings that are timed here, of others' code on one GPU."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Anchor:
    """Seconds per thousand images on one GPU, by its name."""

    name: str
    batch: int
    seconds_per_kimg: dict[str, float]


STYLEGAN2 = {
    "stylegan2_ada:auto256": Anchor("256 pixels", 16, {"V100": 20.84, "A100": 12.53}),
    "stylegan2_ada:auto1024": Anchor("1024 pixels", 4, {"V100": 141.83, "A100": 90.39}),
}
"""NVIDIA's, by the config that is the same setting; batch on one GPU.

Source: github.com/NVlabs/stylegan3, docs/configs.md, "Old StyleGAN2-ADA configurations", the rows of one GPU. Their
code computes the four largest sizes in float16 and the others in float32, with adaptive augmentation, as here.
"""
