"""Frames of films: clothes that move and bounce, drawn when they are read; and the frames before each one as its input.

They stand for the moving digits of arXiv:1502.04681: two of them, 20 frames of 64x64 pixels.
"""

from collections import defaultdict
from dataclasses import replace
from functools import lru_cache

import numpy as np

from genjax.data.images import conform, form_text
from genjax.data.request import Request
from genjax.data.source import Source, fingerprint_of_text
from genjax.data.splits import parse
from genjax.errors import InputError
from genjax.text import natural

SIDE = 64
LENGTH = 20
"""Frames of a film of moving clothes."""

FRAMES = {"train": 500 * LENGTH, "test": 50 * LENGTH}
CLOTHES = 2
"""Clothes of a film; where they meet, the lighter pixel is in front."""

SPEED = (2.0, 5.0)
"""Least and largest speed in pixels per frame."""

HISTORY = 4
"""Frames of an input unless a name says it, as a reimplementation of arXiv:1511.05440 has them
(`dyelax/Adversarial_Video_Generation`)."""

MOVING = 5
"""The seed of moving clothes."""


def load_moving(request: Request) -> Source:
    """Frames of films in which two packaged clothes move straight and bounce off the borders, 64x64 gray.

    Film f has the frames f * LENGTH, ..., named "0007/03"; those of "test" are of the test images.
    Shapes: uint8 (64, 64, 1), or as the form says.
    """
    pieces = []
    for part in parse(request.split, FRAMES):
        first = 0 if part.name == "train" else FRAMES["train"]
        pieces.append(first + np.arange(*part.bounds(FRAMES[part.name])))
    numbers = np.concatenate(pieces)

    def read(indices: np.ndarray) -> np.ndarray:
        return conform(np.stack([draw(number) for number in numbers[np.asarray(indices)].ravel()]), request.form)

    shape = read(np.array([0])).shape[1:]
    return Source(
        name=request.name,
        split=request.split,
        size=len(numbers),
        shape=shape,
        dtype=np.dtype(np.uint8),
        read=read,
        labels=None,
        label_names=(),
        fingerprint=fingerprint_of_text([f"{request.name} {shape} {request.form.resize}", *map(str, numbers)]),
        names=[f"{number // LENGTH:04d}/{number % LENGTH:02d}" for number in numbers],
        form=form_text((SIDE, SIDE, 1), shape, request.form),
    )


def draw(number: int) -> np.ndarray:
    """A frame by its number. Shapes: -> uint8 [64, 64, 1]."""
    image = np.zeros((SIDE, SIDE, 1), np.uint8)
    for x, (top, left) in zip(*scene(number), strict=True):
        window = image[top : top + len(x), left : left + x.shape[1]]
        np.maximum(window, x, out=window)
    return image


def scene(number: int) -> tuple[np.ndarray, np.ndarray]:
    """The clothes of a frame and their places, row and column. Shapes: -> uint8 [2, 28, 28, 1], int [2, 2]."""
    film, frame = divmod(int(number), LENGTH)
    clothes = _clothes("train" if number < FRAMES["train"] else "test")
    rng = np.random.default_rng([MOVING, film])
    chosen = clothes[rng.integers(len(clothes), size=CLOTHES)]
    free = SIDE - clothes.shape[1]
    starts, angles = rng.uniform(0, free, (CLOTHES, 2)), rng.uniform(0, 2 * np.pi, CLOTHES)
    velocities = rng.uniform(*SPEED, CLOTHES)[:, None] * np.stack([np.sin(angles), np.cos(angles)], 1)
    return chosen, np.rint(bounced(starts + frame * velocities, free)).astype(int)


def bounced(place: np.ndarray, free: float) -> np.ndarray:
    """Places of a straight motion between walls at 0 and `free`, from which it bounces."""
    within = place % (2 * free)
    return np.minimum(within, 2 * free - within)


@lru_cache(maxsize=2)
def _clothes(split: str) -> np.ndarray:
    from genjax.data.packaged import load_fashion_10k

    source = load_fashion_10k(Request("fashion_mnist_10k", split))
    return source.read(np.arange(source.size))


def load_frames(request: Request) -> Source:
    """Each frame of films after the K frames before it, as channels; a film is a sub-folder of images.

    K is HISTORY in frames:NAME, and said in frames:K:NAME. Frames are in the order of their names, 2 before 10.
    Shapes: uint8 (H, W, C) -> (H, W, (K + 1) C).
    Raises: InputError for examples that are no images in sub-folders, or films of too few frames.
    """
    history, name = split_history(request.argument)
    base = request.open(name)
    if len(base.shape) != 3 or base.names is None:
        raise InputError(f"{request.name}: {base.name} has no images with names: expected a folder of films' folders")
    films = defaultdict(list)
    for index, name in enumerate(base.names):
        films[name.replace("\\", "/").rpartition("/")[0]].append(index)
    windows = []
    for _, frames in sorted(films.items(), key=lambda film: natural(film[0])):
        frames.sort(key=lambda index: natural(base.names[index]))
        windows += [frames[i : i + history + 1] for i in range(len(frames) - history)]
    if not windows:
        raise InputError(
            f"{request.name}: no film of {base.name} {base.split} has {history + 1} frames or more: expected a folder "
            "of them for each film, with the frames in the order of their names"
        )
    windows = np.array(windows)

    def read(indices: np.ndarray) -> np.ndarray:
        chosen = windows[np.asarray(indices)]
        x = base.read(chosen.ravel()).reshape(*chosen.shape, *base.shape)
        return np.moveaxis(x, 1, 3).reshape(len(x), *base.shape[:2], -1)

    return replace(
        base,
        name=request.name,
        size=len(windows),
        shape=(*base.shape[:2], (history + 1) * base.shape[2]),
        read=read,
        labels=None,
        label_names=(),
        attributes=None,
        attribute_names=(),
        names=[base.names[window[-1]] for window in windows],
        fingerprint=fingerprint_of_text([base.fingerprint, f"{history} frames before each"]),
    )


def split_history(argument: str) -> tuple[int, str]:
    """The frames before each and the source of a name without its "frames:": "8:folder:films" -> 8, "folder:films".

    Raises: InputError for 0 frames.
    """
    number, _, name = argument.partition(":")
    if not (number.isascii() and number.isdigit() and name):
        return HISTORY, argument
    if not int(number):
        raise InputError(f"frames:{argument}: expected 1 or more frames before each, got 0")
    return int(number), name
