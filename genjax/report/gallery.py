"""Examples of any kind as one image: a grid of images, a plot of points, lines of series, rows of tokens."""

from collections.abc import Sequence

import numpy as np

from genjax.errors import InputError
from genjax.report import points, series, tokens
from genjax.report.figures import grid, name_rows


def draw(
    examples,
    columns: int | None = None,
    reference=None,
    classes: int = 0,
    names: Sequence[str] = (),
    vocabulary: int = 0,
):
    """Examples as one image; points are drawn over those of `reference`.

    With `classes`, examples i, i + classes, i + 2 classes, ... are of one class and make one row of the grid, with
    the class's name of `names` beside it; those that do not fill a row are left out. With a `vocabulary`, series are
    sequences of tokens.
    Shapes: examples uint8 [N, H, W, C], float [N, D] or float [N, T, F]; reference float [M, D].
    Raises: InputError for other shapes and types.
    """
    examples = np.asarray(examples)
    if examples.ndim == 2:
        return points.draw(examples, reference)
    if examples.ndim == 3:
        return tokens.draw(examples) if vocabulary else series.draw(examples)
    if examples.ndim != 4:
        raise InputError(f"examples [N, H, W, C], [N, T, F] or [N, D] are drawn; got {list(examples.shape)}")
    rows = len(examples) // classes if classes else 0
    if not rows or columns:
        return grid(examples, columns)
    sheet = grid(examples[np.arange(rows * classes).reshape(rows, classes).T.ravel()], rows)
    return name_rows(sheet, names[:classes]) if len(names) >= classes else sheet
