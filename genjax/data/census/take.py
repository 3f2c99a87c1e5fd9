"""A census of any source: of its image files where it has some, otherwise of the examples that it reads."""

from dataclasses import replace

import numpy as np

from genjax.data.census.counts import Census, Moments, digest, equal_groups
from genjax.data.census.files import count_files
from genjax.data.images import AS_STORED, Form
from genjax.data.registry import find_files, of_path, open_source
from genjax.data.request import Request
from genjax.data.source import Source
from genjax.errors import InputError

CHUNK_BYTES = 2**23
"""Bytes of examples that are read at a time."""


def take_census(
    name: str, split: str = "train", form: Form = AS_STORED, labels: str = "", count: int | None = None
) -> Census:
    """The census of a source by its name or path, or of its first `count` examples.

    Broken images are named in the result. Examples are read in parts of bounded size.
    Raises: InputError if nothing can be opened.
    """
    request = Request(of_path(name), split, form, labels=labels)
    files = find_files(request)
    if files is not None:
        return count_files(request, files, count)
    source, form = _open(request)
    return count_examples(source, form, count)


def _open(request: Request) -> tuple[Source, Form]:
    """The source of a request, and the form in which it opens: images are enlarged only where it must be."""
    try:
        form = replace(request.form, upscale=False)
        return open_source(request.name, request.split, form, skip_broken=True), form
    except InputError:
        form = replace(request.form, upscale=True)
        return open_source(request.name, request.split, form, skip_broken=True), form


def count_examples(source: Source, form: Form = AS_STORED, most: int | None = None) -> Census:
    """The census of the examples of a source, or of the first `most`."""
    total = source.size + len(source.skipped)
    source = replace(
        source,
        size=min(source.size, most or source.size),
        labels=None if source.labels is None else source.labels[:most],
    )
    moments = Moments(source.shape[-1])
    digests: list[bytes] = []
    lengths = []
    is_color = len(source.shape) == 3 and source.shape[2] == 3
    colorless = is_color
    at_once = max(1, CHUNK_BYTES * source.size // max(source.nbytes, 1))
    for start in range(0, source.size, at_once):
        x = np.ascontiguousarray(source.read(np.arange(start, min(start + at_once, source.size))))
        moments.add(x)
        digests += map(digest, x)
        if len(source.shape) == 2:
            lengths.append((~np.isnan(x).all(2)).sum(1))
        colorless = colorless and bool((x[..., :1] == x[..., 1:]).all())
    return Census(
        source=source,
        form=form,
        total=total,
        broken=dict.fromkeys(source.skipped, "broken"),
        colorless=colorless,
        duplicates=equal_groups(digests),
        values=moments.values(),
        lengths=np.concatenate(lengths) if lengths else None,
    )
