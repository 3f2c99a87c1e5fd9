"""Images of two sets side by side as channels, of which unpaired translation learns; and one class of a source."""

from dataclasses import replace

import numpy as np

from genjax.data.order import parts_of
from genjax.data.request import Request
from genjax.data.source import Source, fingerprint_of_text
from genjax.data.translation import two_sources
from genjax.errors import InputError, did_you_mean


def load_unpaired(request: Request) -> Source:
    """All pairs of an image of one source and one of another; in training each source has a shuffled order of its own.

    A name with a comma in it is in double quotes: unpaired:"folder:a,b",folder:c.
    Shapes: two sources of uint (H, W, C) -> (H, W, 2C).
    Raises: InputError if the two differ in size or channels.
    """
    a, b = two_sources(request, "unpaired:A,B")
    sizes = (a.size, b.size)

    def read(indices: np.ndarray) -> np.ndarray:
        of_a, of_b = parts_of(indices, sizes)
        return np.concatenate([a.read(of_a), b.read(of_b)], -1)

    return Source(
        name=request.name,
        split=request.split,
        size=a.size * b.size,
        shape=(*a.shape[:2], 2 * a.shape[2]),
        dtype=a.dtype,
        read=read,
        labels=None,
        label_names=(),
        fingerprint=fingerprint_of_text([a.fingerprint, b.fingerprint, "unpaired"]),
        form="; ".join(dict.fromkeys(filter(None, (a.form, b.form)))),
        notes=a.notes + b.notes,
        skipped=a.skipped + b.skipped,
        parts=sizes,
    )


def load_class(request: Request) -> Source:
    """The examples of a source that have one label, by its name or number, in their order: class:Sandal:NAME.

    Raises: InputError if the source has no such label.
    """
    label, _, name = request.argument.partition(":")
    base = request.open(name)
    if base.labels is None:
        raise InputError(f"{request.name}: {base.name} has no labels: choose a source with classes (docs/data.md)")
    names = base.label_names
    if label in names:
        number = names.index(label)
    elif label.isdigit() and int(label) <= base.labels.max():
        number = int(label)
    else:
        expected = f"one of {', '.join(names)}" if names else f"a number up to {base.labels.max()}"
        raise InputError(f"{request.name}: no label {label!r}{did_you_mean(label, names)}; expected {expected}")
    chosen = np.flatnonzero(base.labels == number)
    if not len(chosen):
        raise InputError(f"{request.name}: {base.name} {base.split} has no example of this label")
    return replace(
        base,
        name=request.name,
        size=len(chosen),
        read=lambda indices: base.read(chosen[np.asarray(indices)]),
        labels=base.labels[chosen],
        names=None if base.names is None else [base.names[index] for index in chosen],
        attributes=None if base.attributes is None else base.attributes[chosen],
        fingerprint=fingerprint_of_text([base.fingerprint, f"label {number}"]),
    )
