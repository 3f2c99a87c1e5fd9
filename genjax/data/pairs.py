"""Images of one set over images of another, as style transfer learns from."""

from collections.abc import Callable

import numpy as np

from genjax.data.source import Source, fingerprint_of_text
from genjax.errors import InputError

MOST = 2**22
"""Pairs, about: so many that a run meets few twice, and so few that their order fits in memory."""


def pair(name: str, upper: Source, lower: Source) -> Source:
    """Each image of one set over many of another's, side on side; all pairs where there are not too many.

    Shapes: two of uint8 (H, W, 3) -> (2H, W, 3).
    Raises: InputError for sets of another form or of unequal ones.
    """
    if len(upper.shape) != 3 or upper.shape[2] != 3 or upper.shape != lower.shape:
        raise InputError(
            f"{name}: expected two sets of colored images of one size, got {list(upper.shape)} and "
            f"{list(lower.shape)}: set data.size and data.channels=3"
        )
    rounds = min(lower.size, max(1, MOST // upper.size))
    return Source(
        name=name,
        split=upper.split,
        size=upper.size * rounds,
        shape=(2 * upper.shape[0], *upper.shape[1:]),
        dtype=upper.dtype,
        read=_reader(upper, lower),
        labels=None,
        label_names=(),
        fingerprint=fingerprint_of_text([upper.fingerprint, lower.fingerprint, f"{rounds} rounds"]),
    )


def _reader(upper: Source, lower: Source) -> Callable:
    def read(indices: np.ndarray) -> np.ndarray:
        rounds, first = np.divmod(np.asarray(indices), upper.size)
        return np.concatenate([upper.read(first), lower.read((first + rounds) % lower.size)], 1)

    return read
