"""Sizes of images that doubling makes: a small start, times two per stage.

The start is the image's size divided by 2**(stages - 1), with 3 to 7 pixels on its shorter side. That of a square of 4,
8, 16, ... pixels is 4x4, as in the papers; of 64x48 with five stages it is 4x3, with four 8x6.
"""

import math

from genjax.errors import InputError

SHORTEST = range(3, 8)
"""Pixels of the start's shorter side."""


def start_size(shape: tuple[int, ...], channels: tuple[int, ...]) -> tuple[int, int]:
    """Height and width of the first stage of an image [H, W, C], one stage per entry of `channels`."""
    return sizes(shape, len(channels))[0]


def sizes(shape: tuple[int, ...], stages: int) -> list[tuple[int, int]]:
    """Height and width of each stage, the smallest first."""
    return [(shape[0] >> i, shape[1] >> i) for i in reversed(range(stages))]


def stage_counts(height: int, width: int) -> list[int]:
    """The numbers of stages that make images of a size: none, one, or two, as of 48 = 6 * 8 = 3 * 16 pixels."""
    shorter = min(height, width)
    return [
        i + 1 for i in range(shorter.bit_length()) if height % 2**i == width % 2**i == 0 and shorter >> i in SHORTEST
    ]


def nearest(height: int, width: int, stages: int = 0) -> list[tuple[int, int]]:
    """The two sizes of about its proportions nearest to another that a number of stages makes (0: any number)."""
    shorter = min(height, width)
    numbers = [stages - 1] if stages else range(shorter.bit_length())
    about = [(height * side / shorter, width * side / shorter) for side in SHORTEST]
    starts = {(rounded(h), rounded(w)) for h, w in about for rounded in (math.floor, math.ceil)}
    candidates = {(h << i, w << i) for h, w in starts for i in numbers}
    return sorted(candidates, key=lambda size: (abs(size[0] - height) + abs(size[1] - width), size))[:2]


def nearest_multiple(shape: tuple[int, ...], factor: int) -> str:
    """The nearest size whose sides divide by `factor`, as data.size takes it: "32x48"."""
    return _text([max(1, round(n / factor)) * factor for n in shape[:2]])


def check_stages(net: str, shape: tuple[int, ...], channels: tuple[int, ...]) -> None:
    """Raises: InputError for images that doubling a small start cannot make, or a wrong number of channels."""
    if len(shape) != 3:
        raise InputError(f"nets that double a small start make images, but the data have shape {list(shape)}")
    counts = stage_counts(*shape[:2])
    if not counts:
        raise InputError(
            f"nets that double a start of {SHORTEST[0]} to {SHORTEST[-1]} pixels on its shorter side cannot make "
            f"images of {_text(shape)}: set data.size to the nearest size, {_listed(nearest(*shape[:2]))}, and "
            "data.resize"
        )
    if len(channels) not in counts:
        expected = " or ".join(f"{n} numbers, for maps of {_listed(sizes(shape, n), ', ')}" for n in counts)
        others = _listed(nearest(*shape[:2], len(channels)))
        raise InputError(f"{net}.channels={channels}: expected {expected}; or set data.size to {others}")


def _text(size) -> str:
    return f"{size[0]}x{size[1]}"


def _listed(sizes, separator: str = " or ") -> str:
    return separator.join(map(_text, sizes))
