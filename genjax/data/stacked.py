"""Three gray images as the channels of one: a distribution of a thousand modes that can be counted.

Source: arXiv:1611.02163, section 3.3.1 ("stacked MNIST"), and arXiv:1712.04086, section 4.2.
"""

from collections.abc import Callable

import numpy as np

from genjax.data.source import Source, fingerprint_of_text
from genjax.errors import InputError

EXAMPLES = 128_000


def stack(name: str, base: Source) -> Source:
    """128,000 triples of images of another set, always the same; a label is 100 a + 10 b + c of its ten classes.

    Shapes: uint8 (H, W, 1) -> (H, W, 3).
    Raises: InputError for a set that is not of gray images, or has not ten classes.
    """
    if len(base.shape) != 3 or base.shape[2] != 1:
        raise InputError(f"{name} stacks gray images, and {base.name} has {list(base.shape)}: set data.channels=1")
    if base.labels is None or base.labels.max() > 9:
        raise InputError(f"{name} needs a set of ten classes with labels, such as stacked:fashion_mnist_10k")
    triples = np.random.default_rng(3).integers(base.size, size=(EXAMPLES, 3))
    names = tuple(f"{label:03d}" for label in range(1000))
    return Source(
        name=name,
        split=base.split,
        size=EXAMPLES,
        shape=(*base.shape[:2], 3),
        dtype=base.dtype,
        read=_reader(base.read, triples),
        labels=(base.labels[triples] @ np.array([100, 10, 1])).astype(np.int32),
        label_names=names,
        fingerprint=fingerprint_of_text([base.fingerprint, f"{EXAMPLES} triples"]),
    )


def _reader(read: Callable, triples: np.ndarray) -> Callable:
    def stacked(indices: np.ndarray) -> np.ndarray:
        chosen = triples[np.asarray(indices)]
        x = read(chosen.ravel())
        return np.moveaxis(x.reshape(*chosen.shape, *x.shape[1:3]), 1, 3)

    return stacked
