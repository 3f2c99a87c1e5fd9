"""The sources of an evaluation: a run's samples, the user's images, the reference and held-out examples."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from genjax import data
from genjax.data.source import Source, fingerprint_of_text
from genjax.data.splits import NoSuchSplit
from genjax.engine.outputs import apply_in_batches
from genjax.engine.phase import Task
from genjax.engine.state import State, local
from genjax.errors import InputError
from genjax.run.restore import weights_sha256


def samples_of(task: Task, state: State, shape: tuple[int, ...], count: int, names=(), **options: Any) -> Source:
    """A run's samples for the seeds 0 .. count - 1, generated when they are read.

    If the task has classes, they are the labels, with the data's `names` for them. `options` are those of the task's
    output "sample", such as `truncation=0.7`.
    """
    state = local(state)
    fingerprint = fingerprint_of_text([weights_sha256(state), repr(sorted(options.items()))])

    def read(seeds: np.ndarray) -> np.ndarray:
        return apply_in_batches(task.outputs["sample"], state, np.asarray(seeds, np.int32), **options)

    return Source(
        name="samples",
        split=f"seeds 0-{count - 1}",
        size=count,
        shape=tuple(shape),
        dtype=np.dtype(np.uint8 if len(shape) == 3 else np.float32),
        read=read,
        labels=np.arange(count, dtype=np.int32) % task.classes if task.classes else None,
        label_names=tuple(names) if task.classes else (),
        fingerprint=fingerprint,
    )


def open_images(text: str, split: str = "", form: Mapping[str, Any] | None = None) -> Source:
    """Examples by the name of a data source, or by the path of a folder or a file that one of them reads.

    `form` has the keys size, channels, resize, upscale, range, labels, skip_broken and dir of a config's `data`, or
    some of them. `split` "" is "train".
    Raises: InputError if there are no such examples, or they are broken; NoSuchSplit if only the split is missing.
    """
    if not data.is_source(data.of_path(text)):
        raise InputError(
            f"{text!r} is no folder of images, no file of them (.zip, .npy, .npz, .h5, .parquet) and no data set "
            f"({data.names()})"
        )
    config = ConfigDict({"size": "", "channels": 0, "resize": "crop", "dir": ""} | dict(form or {}))
    config.name = text
    config.split = split or "train"
    return data.load(config)


def take(source: Source, count: int) -> Source:
    """The first `count` examples of a source. Raises: InputError if it has fewer."""
    if count > source.size:
        raise InputError(f"{count:,} examples of {source.name} {source.split} were asked for: it has {source.size:,}")
    if count == source.size:
        return source
    labels = None if source.labels is None else source.labels[:count]
    names = None if source.names is None else source.names[:count]
    fingerprint = fingerprint_of_text([source.fingerprint, f"first {count}"])
    return replace(source, size=count, labels=labels, names=names, fingerprint=fingerprint)


def heldout(name: str, split: str, form: Mapping[str, Any], trained_on: str) -> Source | None:
    """Examples of a source that nothing was trained on: those of `split`, or of "test" if `split` is "".

    `trained_on` is the fingerprint of the training examples. None if the source has no split "test", or that is what
    was trained on.
    Raises: InputError if a named split is missing, or the source cannot be opened.
    """
    if split:
        return open_images(name, split, form)
    try:
        source = open_images(name, "test", form)
    except NoSuchSplit:
        return None
    return None if source.fingerprint == trained_on else source


def check_same_shape(samples: Source, reference: Source) -> None:
    """Refuse to compare examples of different shapes. Raises: InputError."""
    if samples.shape == reference.shape:
        return
    first, second = (f"{source.name}: {describe_shape(source.shape)}" for source in (samples, reference))
    raise InputError(
        f"{first}, but {second}: bring them to one form with --size and --channels, or take another reference"
    )


def describe_shape(shape: tuple[int, ...]) -> str:
    """Examples of a shape in words: "gray images of 28x28", "points of 2 coordinates", "series of 9 steps ..."."""
    if len(shape) == 1:
        return f"points of {shape[0]} coordinates"
    if len(shape) == 2:
        return f"series of {shape[0]} steps of {shape[1]} numbers"
    return f"{'gray' if shape[2] == 1 else 'color'} images of {shape[0]}x{shape[1]}"
