"""The full Fashion-MNIST: from Debian's package, from a TFDS folder, or downloaded."""

import threading
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np

from genjax.data.idx import read_idx
from genjax.data.images import Form, conform
from genjax.data.packaged import FASHION_LABELS
from genjax.data.source import Source, fingerprint, in_memory
from genjax.data.splits import gather
from genjax.errors import InputError

DEBIAN = Path("/usr/share/datasets/fashion-mnist")  # where the package dataset-fashion-mnist puts it
HOST = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
PROBE_SECONDS = 3.0
FILES = {
    split: (f"{stem}-images-idx3-ubyte.gz", f"{stem}-labels-idx1-ubyte.gz")
    for split, stem in (("train", "train"), ("test", "t10k"))
}
FINGERPRINTS = {
    "train": "e8e55b5122ad17d1aeeef9ed45cefe0c29a606cd7a55591e354fcb11d0228497",
    "test": "56397217242dd6a60ca0165c69e2346df073f0d9b2689bda6e16cc80709864b9",
}


def load_fashion(name: str, split: str, form: Form, data_dir: str) -> Source:
    """All 60,000 training and 10,000 test images, 28x28 gray, in the order of the original files.

    They come from Debian's package where it is installed, else from `data_dir` where they were prepared once, else
    they are downloaded there by TFDS. The fingerprint is the same each way.

    Raises: InputError if none of the three ways works, or the data is not Fashion-MNIST.
    """
    x, labels = gather(split, FILES, lambda part: _checked(part, *_way(data_dir)(part)))
    return in_memory(name, split, conform(x, form), labels, FASHION_LABELS)


def read_split(folder: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [N, 28, 28, 1] and labels uint8 [N] of one split, from its two idx files."""
    images, labels = FILES[split]
    return read_idx(folder / images, rank=3)[..., None], read_idx(folder / labels, rank=1)


def _way(data_dir: str):
    if DEBIAN.is_dir():
        return lambda split: read_split(DEBIAN, split)
    from genjax.data import fashion_builder
    from genjax.data.tfds import data_dir_of

    folder = data_dir_of(data_dir)
    if not fashion_builder.is_prepared(folder):
        if not _answers(HOST):
            raise InputError(
                f"fashion_mnist is neither installed nor in {folder}, and {HOST} did not answer. Either install "
                "Debian's package dataset-fashion-mnist, or set data.dir to a folder where it was prepared, or get "
                "online; fashion_mnist_10k needs none of this."
            )
        fashion_builder.prepare(folder)
    return lambda split: fashion_builder.read(folder, split)


def _answers(url: str) -> bool:
    """Whether the host says anything within PROBE_SECONDS; in a thread, because name look-up has no time limit."""
    answered = []

    def ask():
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=PROBE_SECONDS).close()
            answered.append(True)
        except urllib.error.HTTPError:
            answered.append(True)
        except (OSError, ValueError):
            pass

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS)
    return bool(answered)


def _checked(split: str, x: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if fingerprint(x, labels) != FINGERPRINTS[split]:
        raise InputError(
            f"fashion_mnist ({split}) is damaged or another version: {len(x)} images {x.shape[1:]} do not have the "
            "known fingerprint. Remove it and install or download it again."
        )
    return x, labels
