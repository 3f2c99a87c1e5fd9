"""Examples of any number and size: in memory up to a limit, beyond it in a temporary file, read block by block."""

import tempfile
from collections.abc import Iterator
from math import prod

import numpy as np

from genjax.data.source import Source
from genjax.engine.outputs import EVAL_BATCH
from genjax.errors import InputError
from genjax.files import cache_folder

IN_MEMORY = 2**30
"""Bytes up to which the examples that a metric takes at once are held in memory."""

BLOCK = 2**26
"""Bytes of a block, which has EVAL_BATCH examples or a multiple of it."""


def blocks(source: Source, indices: np.ndarray) -> Iterator[np.ndarray]:
    """Examples of these indices, block by block. Whole batches, so that outputs are those of all at once to the bit."""
    step = max(1, BLOCK // (EVAL_BATCH * _bytes_each(source))) * EVAL_BATCH
    for start in range(0, len(indices), step):
        yield source.read(indices[start : start + step])


def gather(source: Source, indices: np.ndarray) -> np.ndarray:
    """Examples of these indices in one array, in memory or in a file of the cache folder that nothing else sees.

    Shapes: indices [N] -> [N, *shape]. Raises: InputError if the disk has no space for them.
    """
    size = len(indices) * _bytes_each(source)
    if size <= IN_MEMORY:
        return source.read(indices)
    folder = cache_folder("examples")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            for block in blocks(source, indices):
                file.write(np.ascontiguousarray(block))
            file.flush()
            return np.memmap(file, source.dtype, "r", shape=(len(indices), *source.shape))
    except OSError as error:
        raise InputError(
            f"{len(indices):,} examples of {source.name} need {size / 2**30:.1f} GiB in {folder} "
            f"({error.strerror or error}): take fewer with --samples, or set XDG_CACHE_HOME to another folder"
        ) from error


def _bytes_each(source: Source) -> int:
    return prod(source.shape) * np.dtype(source.dtype).itemsize
