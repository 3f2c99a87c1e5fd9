"""Three gray images as the channels of one: a distribution with 1,000 countable modes ("stacked MNIST").

Source: arXiv:1611.02163, section 3.3.1, and arXiv:1712.04086, section 4.2.
"""

from collections.abc import Callable

import numpy as np

from genjax.data.request import Request
from genjax.data.source import Source, fingerprint_of_text
from genjax.errors import InputError

EXAMPLES = 128_000


def load_stacked(request: Request) -> Source:
    """128,000 fixed random triples of images of a gray source; the label is 100 a + 10 b + c of their ten classes.

    Shapes: uint8 (H, W, 1) -> (H, W, 3).
    Raises: InputError if the source has other images or other classes.
    """
    base = request.open(request.argument)
    if len(base.shape) != 3 or base.shape[2] != 1:
        raise InputError(
            f"{request.name} stacks gray images, but an example of {base.name} is {list(base.shape)}: set "
            "data.channels=1"
        )
    if base.labels is None or base.labels.max() > 9:
        raise InputError(f"{request.name} needs a source with ten classes, such as stacked:fashion_mnist_10k")
    triples = np.random.default_rng(3).integers(base.size, size=(EXAMPLES, 3))
    return Source(
        name=request.name,
        split=request.split,
        size=EXAMPLES,
        shape=(*base.shape[:2], 3),
        dtype=base.dtype,
        read=_reader(base.read, triples),
        labels=(base.labels[triples] @ np.array([100, 10, 1])).astype(np.int32),
        label_names=tuple(f"{label:03d}" for label in range(1000)),
        fingerprint=fingerprint_of_text([base.fingerprint, f"{EXAMPLES} triples"]),
        stacked=True,
        form=base.form,
        notes=base.notes,
        skipped=base.skipped,
    )


def _reader(read: Callable, triples: np.ndarray) -> Callable:
    def read_triples(indices: np.ndarray) -> np.ndarray:
        chosen = triples[np.asarray(indices)]
        x = read(chosen.ravel())
        return np.moveaxis(x.reshape(*chosen.shape, *x.shape[1:3]), 1, 3)

    return read_triples
