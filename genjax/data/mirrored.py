"""Each image of a source, and its mirror image: twice the examples."""

from dataclasses import replace
from typing import Any

import numpy as np

from genjax.data.order import index_of, parts_of
from genjax.data.source import Source, fingerprint_of_text
from genjax.errors import InputError


def trained_on(config: Any, source: Source) -> Source:
    """The examples that training sees of a source: with mirror images if `config.mirror`. Raises: as `mirrored`."""
    return mirrored(source) if config.mirror else source


def mirrored(source: Source) -> Source:
    """The examples of a source, then all of them again with left and right exchanged; labels stay.

    Of pairs of two sets both sets are doubled, so that either image may be a mirror image.
    Raises: InputError if the examples are not images.
    """
    if len(source.shape) != 3:
        raise InputError(f"data.mirror=True is for images, but {source.name} has none: set data.mirror=False")

    if source.parts:
        return _mirrored_pairs(source)

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


def _mirrored_pairs(source: Source) -> Source:
    sizes = source.parts
    doubled = (2 * sizes[0], 2 * sizes[1])

    def read(indices: np.ndarray) -> np.ndarray:
        parts = parts_of(indices, doubled)
        own = tuple(part % size for part, size in zip(parts, sizes, strict=True))
        images = np.split(source.read(index_of(own, sizes)), 2, -1)
        for x, part, size in zip(images, parts, sizes, strict=True):
            x[part >= size] = x[part >= size, :, ::-1]
        return np.concatenate(images, -1)

    return replace(
        source,
        size=4 * source.size,
        read=read,
        parts=doubled,
        fingerprint=fingerprint_of_text([source.fingerprint, "and mirrored"]),
    )
