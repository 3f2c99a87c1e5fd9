"""A request to a run of translation: the input beside its translation, and beside what else there is of it.

An example of pairs has its target, and one of two sets without pairs its translation back.
"""

import numpy as np

from genjax.data.folder import size_of_image
from genjax.errors import InputError
from genjax.exploration.codes import inputs
from genjax.exploration.opened import Opened
from genjax.exploration.request import Request
from genjax.files import expand
from genjax.report import display
from genjax.translation import Translator

LARGEST = 256
"""Pixels of the longer side of an input, at most; of a larger image a smaller one is made."""


def translation(run: Opened, request: Request) -> np.ndarray:
    """The input, its translation, and its target or its translation back. Shapes: -> uint8 [H, n W, 3]."""
    if len(request.starts) > 1:
        raise InputError("a translation starts from one image")
    state = run.state(request.step)
    if request.images:
        x = read_input(run, request.images[0], request.to)
    else:
        x = inputs(run, request)[0]
    if not run.is_unpaired:
        y = run.stored(run.program("translate")(state, x[None]))
        size = x.shape[2] - (y.shape[2] if request.examples else 0)
        parts = [x[..., :size], y, *([x[..., size:]] if request.examples else [])]
    else:
        to, back = ("to_a", "to_b") if request.to == "a" else ("to_b", "to_a")
        if request.examples:
            x = np.split(x, 2, -1)[request.to == "a"]
        y = run.stored(run.program(to)(state, x[None]))
        parts = [x, y, run.stored(run.program(back)(state, y[None]))]
    return np.concatenate([_colored(part) for part in parts], 1)


def read_input(run: Opened, path: str, to: str) -> np.ndarray:
    """The input of an image's file, as the run takes it. Shapes: -> uint8 [H, W, inputs].

    Raises: InputError if it cannot be used.
    """
    translator = run.remembered(("translator", to), lambda: Translator(run.workdir, to=to or None))
    height, width = size_of_image(expand(path))
    share = LARGEST / translator.factor / max(height, width)
    size = None if share >= 1 else tuple(max(1, round(side * share)) for side in (height, width))
    return run.remembered(("input", path, to), lambda: translator.read(path, size))


def _colored(x: np.ndarray) -> np.ndarray:
    """Pixels in color. Shapes: [H, W, C] -> [H, W, 3]."""
    x = display.shown(x)
    return np.repeat(x, 3, 2) if x.shape[2] == 1 else x
