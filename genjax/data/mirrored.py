"""Each image of a source, and its mirror image: twice the examples."""

from dataclasses import replace
from typing import Any

import numpy as np

from genjax.data.source import Source, fingerprint_of_text
from genjax.errors import InputError


def trained_on(config: Any, source: Source) -> Source:
    """The examples that training sees of a source: with mirror images if `config.mirror`. Raises: as `mirrored`."""
    return mirrored(source) if config.mirror else source


def mirrored(source: Source) -> Source:
    """The examples of a source, then all of them again with left and right exchanged; labels stay.

    Raises: InputError if the examples are not images.
    """
    if len(source.shape) != 3:
        raise InputError(f"data.mirror=True is for images, but {source.name} has none: set data.mirror=False")

    def read(indices: np.ndarray) -> np.ndarray:
        indices = np.asarray(indices)
        x = np.array(source.read(indices % source.size))
        again = indices >= source.size
        x[again] = x[again, :, ::-1]
        return x

    def twice(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else np.concatenate([values, values])

    return replace(
        source,
        size=2 * source.size,
        read=read,
        labels=twice(source.labels),
        names=None if source.names is None else [*source.names, *source.names],
        attributes=twice(source.attributes),
        fingerprint=fingerprint_of_text([source.fingerprint, "and mirrored"]),
    )
