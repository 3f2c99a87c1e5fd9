"""Images of one source over images of another, the training data of style transfer."""

from collections.abc import Callable

import numpy as np

from genjax.data.request import Request
from genjax.data.source import Source, fingerprint_of_text
from genjax.errors import InputError
from genjax.text import split_list

MAX_PAIRS = 2**22
"""Approximate limit of the number of pairs, whose shuffled order is kept in memory."""


def load_pairs(request: Request) -> Source:
    """Each image of the upper source over images of the lower one; all pairs, up to about MAX_PAIRS.

    A name with a comma in it is in double quotes: pairs:"folder:a,b",textures_64.
    Shapes: two sources of uint8 (H, W, 3) -> (2H, W, 3).
    Raises: InputError if the two differ in shape or are not of color images.
    """
    names = split_list(request.argument)
    if len(names) != 2:
        quotes = ": one with a comma in it goes in double quotes" if len(names) > 2 else ""
        raise InputError(f"{request.name}: expected two names, pairs:NAME,NAME, got {len(names)}{quotes}")
    upper, lower = map(request.open, names)
    if len(upper.shape) != 3 or upper.shape[2] != 3 or upper.shape != lower.shape:
        raise InputError(
            f"{request.name}: expected two sources of color images of one size, got {list(upper.shape)} and "
            f"{list(lower.shape)}: set data.size and data.channels=3"
        )
    rounds = min(lower.size, max(1, MAX_PAIRS // upper.size))
    return Source(
        name=request.name,
        split=request.split,
        size=upper.size * rounds,
        shape=(2 * upper.shape[0], *upper.shape[1:]),
        dtype=upper.dtype,
        read=_reader(upper, lower),
        labels=None,
        label_names=(),
        fingerprint=fingerprint_of_text([upper.fingerprint, lower.fingerprint, f"{rounds} rounds"]),
        form="; ".join(dict.fromkeys(filter(None, (upper.form, lower.form)))),
        notes=upper.notes + lower.notes,
        skipped=upper.skipped + lower.skipped,
    )


def _reader(upper: Source, lower: Source) -> Callable:
    def read(indices: np.ndarray) -> np.ndarray:
        rounds, first = np.divmod(np.asarray(indices), upper.size)
        return np.concatenate([upper.read(first), lower.read((first + rounds) % lower.size)], 1)

    return read
