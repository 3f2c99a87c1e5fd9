"""The full Fashion-MNIST, from its four original files: the user's, those of Debian's package, or downloaded once."""

import gzip
import http.client
import threading
import urllib.error
import urllib.request
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from genjax.data.images import conform, form_text
from genjax.data.packaged import FASHION_LABELS
from genjax.data.request import Request
from genjax.data.source import Source, fingerprint, in_memory
from genjax.data.splits import read_splits
from genjax.errors import InputError
from genjax.files import cache_folder, expand, user_cache, write_bytes

DEBIAN = Path("/usr/share/datasets/fashion-mnist")  # the folder of the package dataset-fashion-mnist
HOST = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
PROBE_SECONDS = 3.0
READ_SECONDS = 60.0
FILES = {
    split: (f"{stem}-images-idx3-ubyte.gz", f"{stem}-labels-idx1-ubyte.gz")
    for split, stem in (("train", "train"), ("test", "t10k"))
}
FINGERPRINTS = {
    "train": "e8e55b5122ad17d1aeeef9ed45cefe0c29a606cd7a55591e354fcb11d0228497",
    "test": "56397217242dd6a60ca0165c69e2346df073f0d9b2689bda6e16cc80709864b9",
}


def load_fashion(request: Request) -> Source:
    """All 60,000 training and 10,000 test images, 28x28 gray, in the order of the original files.

    The files of a split are read from data.dir, from the folder of Debian's package, or from the cache folder,
    whichever has them first. If none has, they are downloaded into the cache folder.
    Raises: InputError if they are in none of these and cannot be downloaded, or are not those of Fashion-MNIST.
    """
    x, labels = read_splits(request.split, FILES, lambda split: _open(split, request.data_dir))
    source = in_memory(request.name, request.split, conform(x, request.form), labels, FASHION_LABELS)
    return replace(source, form=form_text(x.shape[1:], source.shape, request.form))


def read_split(folder: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [N, 28, 28, 1] and labels uint8 [N] of one split, from its two idx files. Raises: InputError."""
    images, labels = (folder / file for file in FILES[split])
    return read_idx(images, rank=3)[..., None], read_idx(labels, rank=1)


def read_idx(path: Path, rank: int) -> np.ndarray:
    """The uint8 array of a gzipped idx file.

    Raises: InputError if the file is missing, damaged, or not a uint8 array of this rank.
    Source: the end of http://yann.lecun.com/exdb/mnist/: 0, 0, type (8: uint8), rank, big-endian sizes, data.
    """
    try:
        return decode_idx(path.read_bytes(), rank)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error}): install or download it again.") from error
    except ValueError as error:
        raise InputError(f"{path} {error}: install or download it again.") from error


def decode_idx(compressed: bytes, rank: int) -> np.ndarray:
    """The uint8 array in the gzipped content of an idx file. Raises: ValueError if it is damaged or another array."""
    try:
        data = gzip.decompress(compressed)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"cannot be decompressed ({error})") from error
    head = 4 + 4 * rank
    shape = tuple(np.frombuffer(data[4:head], ">u4").tolist()) if len(data) >= head else ()
    if data[:4] != bytes((0, 0, 8, rank)) or len(data) - head != np.prod(shape, dtype=np.int64):
        raise ValueError(f"is not a complete idx file of rank {rank}")
    return np.frombuffer(data, np.uint8, offset=head).reshape(shape)


def _open(split: str, data_dir: str) -> tuple[np.ndarray, np.ndarray]:
    cache = user_cache("fashion_mnist")
    own = [Path(expand(data_dir))] if data_dir else []
    for folder in (*own, DEBIAN, cache):
        if all((folder / file).is_file() for file in FILES[split]):
            x, labels = read_split(folder, split)
            if fingerprint(x, labels) != FINGERPRINTS[split]:
                raise InputError(
                    f"fashion_mnist ({split}) in {folder} is damaged or another version: {len(x)} images "
                    f"{x.shape[1:]} do not have the known fingerprint. Remove it and install or download it again."
                )
            return x, labels
    if not _answers(HOST):
        raise InputError(
            f"fashion_mnist is neither installed nor in {cache}, and {HOST} did not answer. Either install "
            f"Debian's package dataset-fashion-mnist, or set data.dir to a folder with {' and '.join(FILES[split])}, "
            "or get online; fashion_mnist_10k needs none of this."
        )
    return _download(split, cache_folder("fashion_mnist"))


def _download(split: str, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of a split from HOST; their files are written when both have been checked."""
    try:
        contents = [_fetch(HOST + file) for file in FILES[split]]
        x = decode_idx(contents[0], rank=3)[..., None]
        labels = decode_idx(contents[1], rank=1)
        if fingerprint(x, labels) != FINGERPRINTS[split]:
            raise ValueError(f"{len(x)} images {x.shape[1:]} do not have the known fingerprint")
        for file, content in zip(FILES[split], contents, strict=True):
            write_bytes(folder / file, content)
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise InputError(
            f"fashion_mnist could not be downloaded from {HOST} to {folder} ({reason}). "
            "Try again, or install Debian's package dataset-fashion-mnist."
        ) from error
    return x, labels


def _fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=READ_SECONDS) as answer:
        return answer.read()


def _answers(url: str) -> bool:
    """Whether the host answers within PROBE_SECONDS; in a thread, because name resolution has no time limit."""
    answered = threading.Event()

    def ask():
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=PROBE_SECONDS).close()
            answered.set()
        except urllib.error.HTTPError:
            answered.set()
        except (OSError, ValueError):
            pass

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS)
    return answered.is_set()
