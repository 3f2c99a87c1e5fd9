"""Settings of a style transfer that are refused before anything is compiled."""

from collections.abc import Sequence

from ml_collections import ConfigDict

from genjax.config import pick
from genjax.errors import InputError
from genjax.nets.vgg import POOLINGS

STARTS = ("content", "recolored", "noise")
COLORS = ("", "luma", "match")


def check(c: ConfigDict, shape: tuple[int, ...]) -> None:
    """Raises: InputError for settings that fit no transfer."""
    pick(STARTS, c.start, "start")
    pick(COLORS, c.color, "color")
    pick(POOLINGS, c.pooling, "pooling")
    if len(shape) != 3 or shape[2] != 3:
        raise InputError(
            f"task 'style' takes an image in color, but the data have shape {list(shape)}: set data.channels=3"
        )
    if c.data.bits != 8:
        raise InputError(f"data.bits={c.data.bits}: task 'style' takes images of 8 bits: leave it at 8")
    if c.batch != 1:
        raise InputError(f"batch={c.batch}: expected 1, the content")
    if not c.style.images:
        raise InputError("style.images is empty: name one or more, as in --config.style.images='(\"a.jpg\",)'")
    if c.style.masks and len(c.style.masks) != len(c.style.images):
        raise InputError(
            f"style.masks: expected none, or one per image ({len(c.style.images)}), got {len(c.style.masks)}"
        )
    if min(c.content.weight, c.style.weight, c.variation.weight) < 0 or not c.style.scale > 0:
        raise InputError(
            f"content.weight={c.content.weight}, style.weight={c.style.weight}, variation.weight={c.variation.weight}, "
            f"style.scale={c.style.scale}: expected weights of 0 or more and a scale above 0"
        )
    coarse = tuple(c.coarse)
    falling = coarse == tuple(sorted(set(coarse), reverse=True))
    if not falling or any(factor <= 1 for factor in coarse) or c.coarse_steps < 1:
        raise InputError(
            f"coarse={c.coarse}, coarse_steps={c.coarse_steps}: expected falling numbers above 1, as (4, 2), and at "
            "least one step"
        )


def normalized(values: Sequence[float], count: int, key: str, item: str) -> tuple[float, ...]:
    """Numbers that sum to one; equal ones for (). Raises: InputError for another count or a negative number."""
    values = tuple(values) or (1,) * count
    if len(values) != count or min(values) < 0 or not sum(values) > 0:
        raise InputError(f"{key}={values}: expected {count} numbers of 0 or more, not all 0, one per {item}")
    return tuple(value / sum(values) for value in values)
