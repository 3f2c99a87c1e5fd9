"""The consequences of a census for training: flags, and memory."""

import shlex
from typing import NamedTuple

from genjax.config import defaults
from genjax.data.census.counts import Census
from genjax.text import bytes_text


class Flag(NamedTuple):
    """A suggested flag, and why."""

    text: str
    reason: str


def suggested_flags(census: Census) -> list[Flag]:
    """The flags that name the data for genjax.train, in the form that the census found to fit."""
    source, form, files = census.source, census.form, census.files
    flags = [("data.name", source.name, "")]
    if source.split != "train":
        flags.append(("data.split", source.split, ""))
    if form.size:
        several = files is not None and len(files.sizes) > 1
        flags.append(("data.size", _size_text(form.size), "sizes differ" if several else ""))
    if form.upscale:
        flags.append(("data.upscale", True, "some are smaller"))
    if files is not None or form.channels or census.colorless:
        channels = form.channels or (1 if census.colorless else source.shape[2])
        flags.append(("data.channels", channels, "no image has color" if census.colorless and channels == 1 else ""))
    if form.range:
        flags.append(("data.range", ",".join(f"{limit:g}" for limit in form.range), "black and white of these values"))
    if census.label_table:
        flags.append(("data.labels", census.label_table, ""))
    if census.broken:
        flags.append(("data.skip_broken", True, "some are broken"))
    if len(census.classes) > 1:
        flags.append(("classes", len(census.classes), "for a conditional model or a classifier"))
    return [Flag(shlex.quote(f"--config.{key}={value}"), reason) for key, value, reason in flags]


def memory_text(census: Census) -> str:
    """The size of all examples in memory, and whether they live on the device."""
    limit = float(defaults("").data.resident_gib)
    where = "kept on the device" if census.nbytes <= limit * 2**30 else "streamed to the device"
    shape = _size_text(census.source.shape)
    count = census.total - len(census.broken)
    return (
        f"{count:,} x {shape} {census.source.dtype}: {bytes_text(census.nbytes)}, {where} (data.resident_gib={limit:g})"
    )


def _size_text(shape: tuple[int, ...]) -> str:
    """A size as data.size has it."""
    return str(shape[0]) if len(set(shape)) == 1 and len(shape) == 2 else "x".join(map(str, shape))
