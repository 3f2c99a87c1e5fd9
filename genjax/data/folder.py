"""The user's own images: a folder or a zip, with classes by sub-folder or by a table, or one file."""

import os
from pathlib import Path

import numpy as np

from genjax import files
from genjax.data.checked import ImageFiles, open_checked
from genjax.data.encoded import EncodedImages, read_headers
from genjax.data.images import EXPECTED, Form
from genjax.data.labels import find_labels
from genjax.data.listing import Listing, list_files
from genjax.data.request import Request
from genjax.data.source import Source
from genjax.errors import InputError


def load_folder(request: Request) -> Source:
    """All images of a folder or a .zip, as the split "train" (slices included).

    The source's notes account for all other files.
    Raises: InputError if the folder or an image is missing, unreadable or broken, or sizes differ without data.size.
    """
    return open_checked(request, find_folder(request))


def find_folder(request: Request) -> ImageFiles:
    """The images of a folder or a .zip.

    Labels are found as `genjax.data.labels` says; images with labels are in a fixed shuffled order, so that a slice
    holds every class, others in the order of their names.
    Raises: InputError if there is no such folder, it has no image, or lacks the labels that are asked for.
    """
    listing = list_files(Path(request.argument))
    labels = find_labels(listing, request.labels)
    images = images_of(listing)
    order = np.arange(images.count)
    if labels.classes is not None:
        order = np.random.default_rng(0).permutation(images.count)
    return ImageFiles(images, {"train": order}, labels, listing)


def load_image(request: Request) -> Source:
    """One image file, as the split "train". Raises: InputError if it is missing or broken."""
    return open_checked(request, find_image(request))


def find_image(request: Request) -> ImageFiles:
    """One image file. Raises: InputError if it is missing."""
    return ImageFiles(_single_image(Path(request.argument)), {"train": np.arange(1)})


def open_image(path: str | os.PathLike, size: tuple[int, int]) -> Source:
    """One image in color, squashed to a size (height, width). Raises: InputError."""
    return load_image(Request(f"image:{path}", form=Form(size, 3, "squash")))


def size_of_image(path: str | os.PathLike) -> tuple[int, int]:
    """Height and width of an image, from its header alone. Raises: InputError."""
    header = read_headers(_single_image(Path(files.expand(path))))[0]
    return header.height, header.width


def images_of(listing: Listing) -> EncodedImages:
    """The images of a listing, in the order of their names."""
    names = listing.images
    return EncodedImages(
        count=len(names),
        files=lambda indices: [listing.read(names[index]) for index in indices],
        name=lambda index: str(Path(listing.root, names[index])),
        names=names,
    )


def _single_image(path: Path) -> EncodedImages:
    if not path.is_file():
        reason = "is a folder" if path.is_dir() else "does not exist"
        raise InputError(f"{path} {reason}: expected {EXPECTED}.")
    return EncodedImages(1, lambda indices: [path for _ in indices], lambda _: str(path), [path.name])
