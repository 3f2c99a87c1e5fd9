"""Image files that are all checked when they are opened, with notes on what is left out or not as in the files."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from genjax.data.encoded import (
    EncodedImages,
    common_shape,
    digests,
    find_broken,
    largest_value,
    read_headers,
    source_of_images,
)
from genjax.data.images import Form, Header
from genjax.data.labels import Labels
from genjax.data.listing import Listing
from genjax.data.request import Request
from genjax.data.source import Source, fingerprint_of_text
from genjax.data.splits import parse
from genjax.errors import InputError
from genjax.text import listed

LOOKED_AT = 100
"""Number of images with more than 8 bits whose largest value is looked up."""
NO_LABELS = Labels()


@dataclass(frozen=True)
class ImageFiles:
    """The image files that a name stands for, none of which has been opened."""

    images: EncodedImages
    splits: Mapping[str, np.ndarray]  # the indices of each split, in their order
    labels: Labels = NO_LABELS  # of all images
    listing: Listing | None = None  # with the files that are left out, if there may be any

    def account(self, used: int, broken: int) -> str:
        """A line for what was left out of the splits that are asked for; "" if nothing was."""
        if self.listing is not None:
            return self.listing.account(used, self.labels.table, broken)
        return f"used {used:,}; left out {broken:,}: broken {broken:,}" if broken else ""


def open_checked(request: Request, files: ImageFiles) -> Source:
    """A source of image files, each of which is checked.

    Raises: InputError if images are broken, incomplete or too small, or sizes differ without data.size.
    """
    images, splits, labels = files.images, files.splits, files.labels
    parts = parse(request.split, splits)
    asked = np.concatenate([splits[name] for name in dict.fromkeys(part.name for part in parts)])
    chosen = images.take(asked)
    failures = find_broken(chosen, request.form) if request.skip_broken else {}
    broken = {int(asked[index]): reason for index, reason in failures.items()}
    if broken:
        splits = {name: indices[[i not in broken for i in indices.tolist()]] for name, indices in splits.items()}
        asked = asked[[i not in broken for i in asked.tolist()]]
        chosen = images.take(asked)
    reasons = [f"{images.name_of(index)} ({reason})" for index, reason in broken.items()]
    if not len(asked):
        reason = f"all {len(broken):,} images are broken: {listed(reasons)}" if broken else "has no images"
        raise InputError(f"{request.name}, {request.split}: {reason}")
    headers = read_headers(chosen, request.form)
    shape = common_shape(chosen, headers, request.form)
    indices = np.concatenate([splits[part.name][slice(*part.bounds(len(splits[part.name])))] for part in parts])

    def describe() -> str:
        lines = (f"{images.name_of(i)} {digest}" for i, digest in zip(indices, digests(images, indices), strict=True))
        return fingerprint_of_text([f"images {shape} {request.form.text}", *lines])

    source = source_of_images(request, images, indices, shape, describe, labels.classes, labels.names)
    account = files.account(len(asked), len(broken))
    broken_note = f"broken: {listed(reasons)}" if reasons else ""
    notes = (account, broken_note, labels.note, *_notes_on(chosen, headers, request.form))
    return replace(
        source,
        form=_form_text(headers, shape, request.form),
        notes=tuple(filter(None, notes)),
        skipped=tuple(map(images.name_of, broken)),
        attributes=None if labels.attributes is None else labels.attributes[indices],
        attribute_names=labels.attribute_names,
    )


def _notes_on(images: EncodedImages, headers: Sequence[Header], form: Form) -> list[str]:
    """A line each for images of which something is not read: further frames, and bits beyond the eighth."""
    notes = []
    if animated := [images.name_of(i) for i, header in enumerate(headers) if header.animated]:
        verb = "has" if len(animated) == 1 else "have"
        notes.append(f"{listed(animated)} {verb} several frames or pages, of which the first is used")
    deep = [index for index, header in enumerate(headers) if header.bits > 8]
    gray = [index for index in deep if headers[index].gray]
    color = [images.name_of(index) for index in deep if not headers[index].gray]
    if form.bits == 16 and not deep:
        notes.append("data.bits=16, but no image has more than 8 bits per channel")
    if color and form.bits == 8:
        verb = "has" if len(color) == 1 else "have"
        notes.append(f"{listed(color)} {verb} 16 bits of color, of which the upper 8 are used: data.bits=16 keeps them")
    if form.range and not gray:
        notes.append("data.range is for gray of more than 8 bits, of which there is none")
    if gray and form.range is None and (largest := largest_value(images, gray[:: -(-len(gray) // LOOKED_AT)])):
        hint = f": data.range=0,{largest:.0f} makes that white" if largest < 32768 else ""
        verb = "image has" if len(gray) == 1 else "images have"
        becomes = ", of which 65,535 becomes 255" if form.bits == 8 else ""
        notes.append(f"{len(gray):,} {verb} 16 bits of gray{becomes}; the largest value seen is {largest:,.0f}{hint}")
    return notes


def _form_text(headers: Sequence[Header], shape: tuple[int, int, int], form: Form) -> str:
    """How images were brought to their shape, as in "3 sizes from 28x28 to 64x48, to 64x64, crop"; "" if none was."""
    sizes = Counter((header.height, header.width) for header in headers)
    texts = []
    if set(sizes) != {shape[:2]}:
        low, high = (f"{height}x{width}" for height, width in (min(sizes), max(sizes)))
        before = low if len(sizes) == 1 else f"{len(sizes)} sizes from {low} to {high},"
        texts.append(f"{before} to {shape[0]}x{shape[1]}, {form.resize}")
    if form.range:
        texts.append(f"values of {form.range[0]:g} to {form.range[1]:g} as 0 to {255 if form.bits == 8 else 65535}")
    return "; ".join(texts)
