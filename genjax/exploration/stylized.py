"""A request to a run of style transfer in one pass: a content in a style, as strong as the request's place says."""

from functools import partial

import numpy as np

from genjax.data.folder import open_image
from genjax.errors import InputError
from genjax.exploration.codes import inputs
from genjax.exploration.opened import Opened
from genjax.exploration.request import Request
from genjax.files import expand
from genjax.ops.moments import moments, with_moments
from genjax.stylization import MULTIPLE, size_of

PAINTED = 256
"""Pixels of the longer side."""


def stylization(run: Opened, request: Request) -> np.ndarray:
    """The content in the style, `at` its strength, by default 1. Shapes: -> uint8 [H, W, 3]."""
    content, style = pair(run, request)
    alpha = np.float32(request.at[0] if request.at else 1)
    program = run.compiled("stylized", partial(_stylize, run.outputs))
    return run.stored(program(run.state(request.step), content[None], style[None], alpha))


def pair(run: Opened, request: Request) -> tuple[np.ndarray, np.ndarray]:
    """The content and the style of a request. Shapes: -> float32 [H, W, 3], [H', W', 3].

    Raises: InputError for other than a content and a style.
    """
    if request.examples:  # one holds a content over a style; of two, the content of the first and the style of the last
        x = np.float32(inputs(run, request))
        half = x.shape[1] // 2
        return x[0, :half], x[-1, half:]
    if len(request.images) != 2:
        raise InputError(f"--images: {len(request.images)} files: expected a content and a style")
    content, style = (run.remembered(("painted", path), partial(read_image, path)) for path in request.images)
    return content, style


def read_image(path: str) -> np.ndarray:
    """An image's file with sides that the nets of style transfer return. Shapes: -> float32 [H, W, 3].

    Raises: InputError if it cannot be used.
    """
    height, width = (max(side // MULTIPLE, 1) * MULTIPLE for side in size_of(expand(path), PAINTED))
    return np.float32(open_image(expand(path), (height, width)).read([0])[0])


def _stylize(outputs, state, content, style, alpha):
    """Source: arXiv:1703.06868, eq. 14."""
    f = outputs["features"](state, content)
    target = with_moments(f, *moments(outputs["features"](state, style)))
    return outputs["pixels"](state, (1 - alpha) * f + alpha * target)
