"""Pairs of an input and its target, of which image-to-image translation learns: derived from images, or aligned.

A pair is one image whose first channels are the input and whose last are the target. Derived inputs are functions of
the target alone, and of its number for free-form holes, so that every run reads the same pairs.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from genjax.data.films import split_history
from genjax.data.request import Request
from genjax.data.source import Source, fingerprint_of_text
from genjax.errors import InputError
from genjax.ops.lab import gray_of
from genjax.text import listed, split_list

LUMA = (19595, 38470, 7471)
"""Rec. 601's weights of red, green and blue in 65536ths, as Pillow has them."""

MIDDLE = 128
"""The gray of a hole, of 255."""

STROKES = 3
"""The seed of free-form holes."""


@dataclass(frozen=True)
class Derivation:
    """How an input is made of its target.

    Fields:
        make: (targets [N, H, W, C], their numbers [N]) -> inputs [N, H, W, inputs(C)], of the same type.
        inputs: channels of the input by channels of the target.
        colors: whether targets are in color alone.
        factor: the input is an image this many times smaller, whose pixels are repeated.
    """

    make: Callable[[np.ndarray, np.ndarray], np.ndarray]
    inputs: Callable[[int], int]
    colors: bool = False
    factor: int = 1


def luma(x: np.ndarray) -> np.ndarray:
    """Rec. 601's luma of colors, rounded as Pillow does; gray stays. Shapes: uint [N, H, W, 1 or 3] -> [N, H, W, 1]."""
    if x.shape[-1] == 1:
        return x
    return ((x.astype(np.int64) @ np.array(LUMA) + 2**15) >> 16).astype(x.dtype)[..., None]


def shrunk(x: np.ndarray, factor: int) -> np.ndarray:
    """Means of blocks, a half rounded up. Shapes: uint [N, H, W, C] -> [N, H / factor, W / factor, C]."""
    count, height, width, channels = x.shape
    blocks = x.reshape(count, height // factor, factor, width // factor, factor, channels)
    area = factor**2
    return ((blocks.sum((2, 4), dtype=np.int64) + area // 2) // area).astype(x.dtype)


def repeated(x: np.ndarray, factor: int) -> np.ndarray:
    """Each pixel as a block. Shapes: [N, H, W, C] -> [N, H factor, W factor, C]."""
    return x.repeat(factor, 1).repeat(factor, 2)


def edges(x: np.ndarray) -> np.ndarray:
    """Dark lines on white: white less the length of Sobel's gradient of luma, clipped. Shapes: -> [N, H, W, 1].

    Beyond its border an image repeats its last pixels.
    """
    white = np.iinfo(x.dtype).max
    padded = np.pad(luma(x)[..., 0].astype(np.int64), [(0, 0), (1, 1), (1, 1)], "edge")
    rows = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]
    columns = padded[:, :, :-2] + 2 * padded[:, :, 1:-1] + padded[:, :, 2:]
    across = rows[:, :, 2:] - rows[:, :, :-2]
    down = columns[:, 2:] - columns[:, :-2]
    length = np.floor(np.sqrt(across**2 + down**2) + 0.5).astype(np.int64)
    return np.clip(white - length, 0, white).astype(x.dtype)[..., None]


def masked(x: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Images with holes of middle gray, then the mask: white where the image is known, black in holes.

    Shapes: uint [N, H, W, C], bool [N, H, W] -> [N, H, W, C + 1].
    """
    white = np.iinfo(x.dtype).max
    fill = MIDDLE * (white // 255)
    mask = np.where(known, white, 0).astype(x.dtype)[..., None]
    return np.concatenate([np.where(known[..., None], x, x.dtype.type(fill)), mask], -1)


def center_hole(height: int, width: int) -> np.ndarray:
    """False in a hole of half the height and width in the center, rounded down. Shapes: -> bool [H, W]."""
    known = np.ones((height, width), bool)
    top, left = (height - height // 2) // 2, (width - width // 2) // 2
    known[top : top + height // 2, left : left + width // 2] = False
    return known


def free_form_hole(height: int, width: int, number: int) -> np.ndarray:
    """False under strokes of a brush, which follow from the number alone. Shapes: -> bool [H, W].

    One to four strokes of two to five straight parts of up to half the shorter side each, which turn by up to a right
    angle; their brush is a disk of an eighth to a quarter of the shorter side across.
    Source: after arXiv:1806.03589, algorithm 1, whose constants are of 256x256 pixels.
    """
    rng = np.random.default_rng([STROKES, int(number)])
    side = min(height, width)
    y, x = np.mgrid[:height, :width]
    known = np.ones((height, width), bool)
    for _ in range(rng.integers(1, 5)):
        place = rng.uniform((0, 0), (height, width))
        radius = rng.uniform(side / 16, side / 8)
        angle = rng.uniform(0, 2 * np.pi)
        for _ in range(rng.integers(2, 6)):
            angle += rng.uniform(-np.pi / 2, np.pi / 2)
            part = rng.uniform(side / 8, side / 2) * np.array([np.sin(angle), np.cos(angle)])
            along = ((y - place[0]) * part[0] + (x - place[1]) * part[1]) / (part @ part)
            nearest = along.clip(0, 1)
            distance = np.hypot(y - place[0] - nearest * part[0], x - place[1] - nearest * part[1])
            known &= distance > radius
            place = np.clip(place + part, 0, (height, width))
    return known


def _with_center_holes(x, numbers):
    return masked(x, np.broadcast_to(center_hole(*x.shape[1:3]), x.shape[:3]))


def _with_free_form_holes(x, numbers):
    return masked(x, np.stack([free_form_hole(*x.shape[1:3], number) for number in numbers]))


def _small(factor: int) -> Derivation:
    return Derivation(lambda x, numbers: repeated(shrunk(x, factor), factor), lambda channels: channels, factor=factor)


DERIVATIONS = {
    "gray": Derivation(lambda x, numbers: luma(x), lambda channels: 1, colors=True),
    "lab": Derivation(lambda x, numbers: gray_of(x), lambda channels: 1, colors=True),
    "small2": _small(2),
    "small4": _small(4),
    "small8": _small(8),
    "hole": Derivation(_with_center_holes, lambda channels: channels + 1),
    "freeform": Derivation(_with_free_form_holes, lambda channels: channels + 1),
    "edges": Derivation(lambda x, numbers: edges(x), lambda channels: 1),
}
"""Derivations by the word before the colon of a source's name."""

MASKED = ("hole", "freeform")
"""Those whose inputs end in a mask."""


def load_derived(request: Request) -> Source:
    """The images of a source, each with an input that is derived from it; labels and names stay.

    Shapes: uint (H, W, C) -> (H, W, inputs + C).
    Raises: InputError for examples that are no images, or whose size or channels do not fit.
    """
    kind = request.name.partition(":")[0]
    derivation = DERIVATIONS[kind]
    base = request.open(request.argument)
    allowed = (3,) if derivation.colors else (1, 3)
    if len(base.shape) != 3 or base.shape[2] not in allowed:
        raise InputError(
            f"{request.name}: expected images {'in color' if derivation.colors else 'in gray or color'}, but an "
            f"example of {base.name} is {list(base.shape)}: set data.channels=3"
        )
    if base.shape[0] % derivation.factor or base.shape[1] % derivation.factor:
        raise InputError(
            f"{request.name}: {base.shape[0]}x{base.shape[1]} pixels are no multiple of {derivation.factor}: set "
            "data.size"
        )

    def read(indices: np.ndarray) -> np.ndarray:
        x = base.read(indices)
        return np.concatenate([derivation.make(x, np.asarray(indices)), x], -1)

    return replace(
        base,
        name=request.name,
        shape=(*base.shape[:2], derivation.inputs(base.shape[2]) + base.shape[2]),
        read=read,
        fingerprint=fingerprint_of_text([base.fingerprint, kind]),
    )


def load_aligned(request: Request) -> Source:
    """The images of one source with those of another of the same names, or without names the same numbers.

    A name with a comma in it is in double quotes: aligned:"folder:a,b",folder:c.
    Shapes: two sources of uint (H, W, C) -> (H, W, 2C).
    Raises: InputError if the two differ in number, names, size or channels.
    """
    inputs, targets = two_sources(request, "aligned:INPUTS,TARGETS")
    partner = _partners(request.name, inputs, targets)

    def read(indices: np.ndarray) -> np.ndarray:
        return np.concatenate([inputs.read(partner[np.asarray(indices)]), targets.read(indices)], -1)

    return replace(
        targets,
        name=request.name,
        shape=(*targets.shape[:2], 2 * targets.shape[2]),
        read=read,
        fingerprint=fingerprint_of_text([inputs.fingerprint, targets.fingerprint, "aligned"]),
        form="; ".join(dict.fromkeys(filter(None, (inputs.form, targets.form)))),
        notes=inputs.notes + targets.notes,
        skipped=inputs.skipped + targets.skipped,
    )


def two_sources(request: Request, usage: str) -> tuple[Source, Source]:
    """The two sources of images that a name is made of; `usage` is how such a name is written.

    Raises: InputError for other than two names, or sources that differ in size, channels or type.
    """
    names = split_list(request.argument)
    if len(names) != 2:
        quotes = ": one with a comma in it goes in double quotes" if len(names) > 2 else ""
        raise InputError(f"{request.name}: expected two names, {usage}, got {len(names)}{quotes}")
    a, b = map(request.open, names)
    if len(a.shape) != 3 or a.shape != b.shape or a.dtype != b.dtype:
        raise InputError(
            f"{request.name}: expected two sources of images of one size with as many channels, got {list(a.shape)} "
            f"and {list(b.shape)}: set data.size and data.channels"
        )
    return a, b


def _partners(name: str, inputs: Source, targets: Source) -> np.ndarray:
    """The number of each target's input. Shapes: -> int [N]. Raises: InputError if one has none."""
    if inputs.names is None or targets.names is None:
        if inputs.size != targets.size:
            raise InputError(f"{name}: {inputs.size:,} inputs and {targets.size:,} targets: expected as many of both")
        return np.arange(inputs.size)
    of_inputs = _by_stem(name, inputs)
    of_targets = _by_stem(name, targets)
    alone = sorted(of_inputs.keys() ^ of_targets.keys())
    if alone:
        raise InputError(
            f"{name}: files of both are paired by their names without endings, but {listed(alone)} "
            f"{'is' if len(alone) == 1 else 'are'} in one of them alone: add or remove the other"
        )
    return np.array([of_inputs[stem] for stem in of_targets])


def _by_stem(name: str, source: Source) -> dict[str, int]:
    """The numbers of examples by their names without endings, in their order. Raises: InputError for two of one."""
    stems = [file.rpartition(".")[0] or file for file in source.names]
    numbers = dict(zip(stems, range(len(stems)), strict=True))
    if len(numbers) < len(stems):
        twice = sorted({stem for stem in stems if stems.count(stem) > 1})
        raise InputError(f"{name}: {source.name} has several files named {listed(twice)}, apart from their endings")
    return numbers


SIDE_BY_SIDE = ("aligned", "unpaired")
"""Words before the colon of sources whose examples are two images with as many channels."""


def input_channels(name: str, channels: int) -> int:
    """The channels of the input of a pair with `channels` channels, by its source's name; 0 if that does not say."""
    kind, _, argument = name.partition(":")
    if kind in SIDE_BY_SIDE:
        return channels // 2 if channels % 2 == 0 else 0
    if kind == "frames":
        history = split_history(argument)[0]
        return channels // (history + 1) * history if channels % (history + 1) == 0 else 0
    if kind not in DERIVATIONS:
        return 0
    of_target = DERIVATIONS[kind].inputs
    return next((of_target(n) for n in range(1, channels) if of_target(n) + n == channels), 0)
