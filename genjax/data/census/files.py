"""A census of image files: each is decoded once, at its own size; broken ones are named and left out."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from genjax.data.arrays import RANGES
from genjax.data.census.counts import Census, FileCounts, digest, equal_groups
from genjax.data.checked import ImageFiles
from genjax.data.encoded import EncodedImages, Failure, check_header, decode_images, map_images, open_decoded
from genjax.data.images import Form, Header, stored_values
from genjax.data.request import Request
from genjax.data.source import Source
from genjax.data.splits import parse
from genjax.errors import InputError

LARGEST_AS_STORED = 256
"""Side in pixels up to which images of one size are trained on as they are."""
SUGGESTED = 64
"""Largest size that is suggested for others: one to begin with."""
TOO_SMALL = 0.05
"""Share of images that may be smaller than the suggested size."""


class Look(NamedTuple):
    """The facts of one file."""

    header: Header
    pixels: bytes  # digest of the decoded pixels
    file: bytes  # digest of the file
    low: float
    high: float
    gray: bool  # has no color, whatever its mode
    deep: bool  # is gray of more than 8 bits


def look_at(file: Path | bytes) -> Look:
    """The facts of a file. Raises: anything, for one that is broken."""
    data = file if isinstance(file, bytes) else file.read_bytes()
    header = check_header(data)
    x = open_decoded(data, stored_values)
    deep = x.ndim == 2
    gray = deep or bool((x[..., :1] == x[..., 1:]).all())
    pixels = digest(f"{x.dtype.kind} {x.shape}".encode(), np.ascontiguousarray(x))
    return Look(header, pixels, digest(data), float(x.min()), float(x.max()), gray, deep)


def count_files(request: Request, files: ImageFiles, most: int | None = None) -> Census:
    """The census of a request's image files, or of the first `most` of them.

    The size of the form is suggested where the request has none and images need one.
    Raises: InputError for a split that is not there, and if every image is broken.
    """
    parts = parse(request.split, files.splits)
    indices = np.concatenate(
        [files.splits[part.name][slice(*part.bounds(len(files.splits[part.name])))] for part in parts]
    )
    total = len(indices)
    indices = indices[:most]
    looks = _Looks(files.images)
    for index, look in zip(indices.tolist(), map_images(files.images, indices, look_at), strict=True):
        looks.add(index, look)
    if not looks.usable:
        reasons = "; ".join(f"{name} ({reason})" for name, reason in list(looks.broken.items())[:3])
        raise InputError(f"{request.name}: all {len(indices):,} images are broken: {reasons}")
    form = suggest_form(request.form, looks)
    counts = looks.counts
    counts.smaller = [
        files.images.name_of(i) for i, size in zip(looks.usable, looks.sizes, strict=True) if _is_small(form, size)
    ]
    if files.listing is not None:
        counts.left_out.update(kind for name, kind in files.listing.others if name != files.labels.table)
    counts.copies = equal_groups(looks.files)
    form = replace(form, upscale=bool(counts.smaller))
    has_folders = files.listing is not None and files.labels.classes is not None
    return Census(
        source=_source(request, files, np.array(looks.usable), form, looks.sizes[0]),
        form=form,
        total=total,
        broken=looks.broken,
        colorless=looks.colorless and not looks.gray,
        duplicates=equal_groups(looks.pixels),
        files=counts,
        label_note=files.labels.note or ("labels are from the sub-folders" if has_folders else ""),
        label_table=request.labels,
    )


class _Looks:
    """The facts of all files."""

    def __init__(self, images: EncodedImages):
        self.images = images
        self.counts = FileCounts()
        self.usable: list[int] = []
        self.sizes: list[tuple[int, int]] = []
        self.pixels: list[bytes] = []
        self.files: list[bytes] = []
        self.broken: dict[str, str] = {}
        self.gray = self.colorless = True  # all so far, by their headers and by their pixels
        self.integers = True  # values of more than 8 bits are whole numbers

    def add(self, index: int, look: Look | Failure) -> None:
        """Count a file."""
        name = self.images.name_of(index)
        if isinstance(look, Failure):
            self.broken[name] = look.reason
            return
        header, counts = look.header, self.counts
        size = header.height, header.width
        self.usable.append(index)
        self.sizes.append(size)
        self.pixels.append(look.pixels)
        self.files.append(look.file)
        self.gray &= header.gray
        self.colorless &= look.gray
        for counter, key in (
            (counts.formats, header.format),
            (counts.sizes, size),
            (counts.modes, header.mode),
            (counts.bits, header.bits),
        ):
            counter[key] += 1
        counts.animated += [name] if header.animated else []
        counts.turned += [name] if header.turned else []
        if look.deep:
            self.integers &= header.mode != "F"
            counts.deep_range = _union(counts.deep_range, look)
        else:
            counts.range = _union(counts.range, look)


def _union(limits: tuple[float, float] | None, look: Look) -> tuple[float, float]:
    low, high = limits or (look.low, look.high)
    return min(low, look.low), max(high, look.high)


def suggest_form(form: Form, looks: _Looks) -> Form:
    """The form that is asked for, with a size, channels and a range where it has none and the images need one."""
    channels = form.channels or (1 if looks.colorless else 3)
    size = form.size or suggest_size(looks.counts.sizes)
    limits = form.range or (
        suggest_range(*looks.counts.deep_range, looks.integers) if looks.counts.deep_range else None
    )
    return replace(form, size=size, channels=channels, range=limits)


def suggest_size(sizes: Counter[tuple[int, int]]) -> tuple[int, int] | None:
    """A square of a power of two that enlarges few images; None if all have one size that is not large."""
    if len(sizes) == 1 and max(next(iter(sizes))) <= LARGEST_AS_STORED:
        return None
    shorter = np.repeat([min(size) for size in sizes], list(sizes.values()))
    side = int(np.quantile(shorter, TOO_SMALL, method="lower"))
    return (min(SUGGESTED, 2 ** (side.bit_length() - 1)),) * 2


def suggest_range(low: float, high: float, integers: bool) -> tuple[float, float] | None:
    """Black and white of gray with more than 8 bits; None if they are those of 16 bits."""
    if integers and low >= 0 and high < 65536:
        return None if high >= 32768 else (0, 2 ** max(8, int(high).bit_length()) - 1)
    known = (limits for limits in RANGES if not integers and limits[0] <= low and high <= limits[1])
    return next(known, (low, high) if low < high else (low, low + 1))


def _is_small(form: Form, size: tuple[int, int]) -> bool:
    try:
        replace(form, upscale=False).refuse_smaller(*size)
    except InputError:
        return True
    return False


def _source(request: Request, files: ImageFiles, indices: np.ndarray, form: Form, stored: tuple[int, int]) -> Source:
    """The usable images, decoded when they are read."""
    shape = (*(form.size or stored), form.channels)
    form = replace(form, upscale=True)
    labels = files.labels
    names = files.images.names
    return Source(
        name=request.name,
        split=request.split,
        size=len(indices),
        shape=shape,
        dtype=form.dtype,
        read=lambda positions: decode_images(files.images, indices[np.asarray(positions)], form, shape),
        labels=None if labels.classes is None else labels.classes[indices],
        label_names=labels.names,
        fingerprint="",
        names=None if names is None else [names[index] for index in indices],
        attributes=None if labels.attributes is None else labels.attributes[indices],
        attribute_names=labels.attribute_names,
    )
