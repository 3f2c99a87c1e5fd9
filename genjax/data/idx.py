"""The idx format of MNIST and its relatives."""

import gzip
import zlib
from pathlib import Path

import numpy as np

from genjax.errors import InputError


def read_idx(path: Path, rank: int) -> np.ndarray:
    """The uint8 array of a gzipped idx file.

    Raises: InputError if the file is missing, damaged, or not a uint8 array of this rank.
    Source: the end of http://yann.lecun.com/exdb/mnist/: 0, 0, type (8: uint8), rank, big-endian sizes, data.
    """
    try:
        data = gzip.decompress(Path(path).read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read ({error}): install or download it again.") from error
    head = 4 + 4 * rank
    shape = tuple(np.frombuffer(data[4:head], ">u4").tolist()) if len(data) >= head else ()
    if data[:4] != bytes((0, 0, 8, rank)) or len(data) - head != np.prod(shape, dtype=np.int64):
        raise InputError(f"{path} is not a whole idx file of rank {rank}: install or download it again.")
    return np.frombuffer(data, np.uint8, offset=head).reshape(shape)
