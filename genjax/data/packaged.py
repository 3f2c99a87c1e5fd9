"""Data sets that come with the package, stored as lossless sprite sheets under genjax/assets."""

import contextlib
import io
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from genjax.data.images import conform, form_text
from genjax.data.request import Request
from genjax.data.source import Source, fingerprint, in_memory
from genjax.data.splits import read_splits
from genjax.errors import InputError
from genjax.files import cache_folder, write_bytes

FASHION_LABELS = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
EMOJI_LABELS = (
    "Smileys & Emotion",
    "People & Body",
    "Animals & Nature",
    "Food & Drink",
    "Travel & Places",
    "Activities",
    "Objects",
    "Symbols",
    "Flags",
)
FINGERPRINTS = {  # of the complete splits, as the build scripts print them
    ("fashion_mnist_10k", "train"): "48397500cbd96c90c764c88977cc9f6f501c7b40a6b836cac22ac696718f7df8",
    ("fashion_mnist_10k", "test"): "cc6e609db80b4b6c6b0dd52413d9420a7db15208e43b1922e1ea6cb75b608c8b",
    ("emoji_64", "train"): "33390a18f2d88ba99e772e8de2aac19063c3b1aa7b862ef8ad7d24043b82b782",
    ("emoji_64", "test"): "aca565a968a014c6842cc289eb566f9600a8039c01cf5d27d3da6e5c2f2a41eb",
    ("emoji_32", "train"): "672d59c71a0640e9b49bbf37d3bb5907a4a15511cda527c01cc60c649b6036da",
    ("emoji_32", "test"): "763ea875272f4f9d38b2949b301153816022f5e7202918353c3e5bea3c1c24b9",
}


def load_fashion_10k(request: Request) -> Source:
    """The first 10,000 training and 2,000 test images of Fashion-MNIST, 28x28 gray."""
    return _load(request, _fashion, FASHION_LABELS)


def load_emoji(request: Request) -> Source:
    """Noto emoji without skin tones on white, 64x64 color; `emoji_32` is their exact 2x2 mean.

    Every tenth image of each category is in "test", the others in "train"; both are in a fixed shuffled order.
    """
    return _load(request, _emoji, EMOJI_LABELS)


def _load(request: Request, arrays: Callable, label_names: tuple[str, ...]) -> Source:
    x, labels = read_splits(request.split, ("train", "test"), lambda split: _decoded(arrays, request.name, split))
    source = in_memory(request.name, request.split, conform(x, request.form), labels, label_names)
    return replace(source, form=form_text(x.shape[1:], source.shape, request.form))


@lru_cache(maxsize=4)  # a process may open a set many times
def _decoded(arrays: Callable, name: str, split: str) -> tuple[np.ndarray, np.ndarray]:
    """The images and labels of a whole split, which cannot be written to.

    Decoding takes 0.3 to 0.4 s, so the first process that does it keeps them in the user's cache folder.
    Raises: InputError if the package's file is damaged.
    """
    expected = FINGERPRINTS[name, split]
    cached = cache_folder("packaged") / f"{name}_{split}_{expected[:16]}.npz"
    x_and_labels = _cached(cached)
    if x_and_labels is None or fingerprint(*x_and_labels) != expected:
        x_and_labels = arrays(name, split)
        if fingerprint(*x_and_labels) != expected:
            raise InputError(f"The packaged {name!r} ({split}) is damaged: install genjax-models again.")
        data = io.BytesIO()
        np.savez(data, x=x_and_labels[0], labels=x_and_labels[1])
        with contextlib.suppress(OSError):  # the disk is full: the next process decodes again
            write_bytes(cached, data.getvalue())
    x, labels = x_and_labels
    x.flags.writeable = labels.flags.writeable = False
    return x, labels


def _cached(path: Path) -> tuple[np.ndarray, np.ndarray] | None:
    """The images and labels that a process has written; None if there are none that can be read."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return file["x"], file["labels"]
    except (OSError, EOFError, ValueError, KeyError, BadZipFile):
        return None


def to_sheet(x: np.ndarray, columns: int) -> np.ndarray:
    """Images in rows on one white sheet. Shapes: [N, H, W, C] -> [rows * H, columns * W, C]."""
    count, height, width, channels = x.shape
    rows = -(-count // columns)
    sheet = np.full((rows * columns, height, width, channels), 255, np.uint8)
    sheet[:count] = x
    sheet = sheet.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    return sheet.reshape(rows * height, columns * width, channels)


def from_sheet(sheet: np.ndarray, side: int) -> np.ndarray:
    """The inverse of `to_sheet` for square images, with the white ones that fill its last row."""
    rows, columns = sheet.shape[0] // side, sheet.shape[1] // side
    x = sheet.reshape(rows, side, columns, side, -1).swapaxes(1, 2)
    return x.reshape(rows * columns, side, side, -1)


def _fashion(name: str, split: str) -> tuple[np.ndarray, np.ndarray]:
    from PIL import Image

    folder = files("genjax") / "assets" / name
    with (folder / f"{split}.webp").open("rb") as file:
        red = np.asarray(Image.open(file).convert("RGB"))[..., :1]  # WebP has no gray: the channels are equal
    with (folder / f"{split}_labels.npy").open("rb") as file:
        return from_sheet(red, 28), np.load(file, allow_pickle=False)


def _emoji(name: str, split: str) -> tuple[np.ndarray, np.ndarray]:
    from PIL import Image

    folder = files("genjax") / "assets" / "emoji_64"
    with (folder / "emoji.webp").open("rb") as file:
        sheet = Image.open(file).convert("RGB")
    rows = (folder / "index.tsv").read_text("utf-8").splitlines()[1:]
    labels = np.array([EMOJI_LABELS.index(row.split("\t")[0]) for row in rows], np.uint8)
    if name == "emoji_32":
        sheet = sheet.reduce(2)
    x = from_sheet(np.asarray(sheet), 32 if name == "emoji_32" else 64)[: len(labels)]
    # The sheet is ordered by category; a slice should hold all categories.
    rank = np.concatenate([np.arange(count) for count in np.bincount(labels)])
    chosen = np.flatnonzero((rank % 10 == 9) == (split == "test"))
    chosen = np.random.default_rng(0).permutation(chosen)
    return x[chosen], labels[chosen]
