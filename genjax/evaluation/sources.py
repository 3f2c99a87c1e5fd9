"""The sources of an evaluation: a run's samples, the user's images, the reference and held-out examples."""

from collections.abc import Mapping, Sequence
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
from genjax.evaluation.selection import REFERENCE, SEED, UNIFORM, labels_by_shares, seeds_of, select
from genjax.files import expand
from genjax.run.restore import weights_sha256


def samples_of(
    task: Task,
    state: State,
    shape: tuple[int, ...],
    count: int,
    names: Sequence[str] = (),
    frequencies: np.ndarray | None = None,
    bits: int = 8,
    **options: Any,
) -> Source:
    """A run's samples for the seeds 0 .. count - 1, generated when they are read.

    If the task has classes, they are the labels, with the data's `names` for them: in turn, or in the shares of
    `frequencies` int [classes], each class by its own first seeds (`selection`). Images have `bits` per channel.
    `options` are those of the task's output "sample", such as `truncation=0.7`.
    """
    state = local(state)
    by_shares = frequencies is not None and len(set(frequencies.tolist())) > 1
    described = [weights_sha256(state), repr(sorted(options.items()))]
    labels = None
    seeds = np.arange(count, dtype=np.int32)
    if task.classes:
        labels = labels_by_shares(frequencies if by_shares else np.ones(task.classes, int), count)
        seeds = seeds_of(labels, task.classes)
    if by_shares:
        described.append(f"classes {frequencies.tolist()}")

    def read(indices: np.ndarray) -> np.ndarray:
        return apply_in_batches(task.outputs["sample"], state, seeds[np.asarray(indices)], **options)

    return Source(
        name="samples",
        split=f"seeds 0-{count - 1}" if not by_shares else f"{count} seeds, by class",
        size=count,
        shape=tuple(shape),
        dtype=np.dtype({8: np.uint8, 16: np.uint16}[bits] if len(shape) == 3 else np.float32),
        read=read,
        labels=labels,
        label_names=tuple(names) if task.classes else (),
        fingerprint=fingerprint_of_text(described),
    )


def class_frequencies(reference: Source, classes: int, names: Sequence[str] = ()) -> np.ndarray | None:
    """The number of examples of each class of a run in a reference; None if it has no labels, or other classes.

    `names` are those of the run's classes, if they have any. Shapes: -> int64 [classes].
    """
    labels = reference.labels
    if labels is None:
        return None
    names = tuple(names)[:classes]
    if names and reference.label_names and names != reference.label_names:
        if set(names) != set(reference.label_names):
            return None
        labels = np.array([names.index(name) for name in reference.label_names])[labels]
    return np.bincount(labels, minlength=classes) if labels.max() < classes else None


def classes_of(
    task: Task, reference: Source, names: Sequence[str], shares: str
) -> tuple[dict[str, str], np.ndarray | None]:
    """How the classes of a run's samples are drawn, for the protocol, and their frequencies; {} without classes.

    They are drawn equally often (no frequencies) if `shares` is UNIFORM, or if the reference has no such classes.
    """
    if not task.classes:
        return {}, None
    frequencies = class_frequencies(reference, task.classes, names) if shares == REFERENCE else None
    return {"classes": UNIFORM if frequencies is None else REFERENCE}, frequencies


def open_images(text: str, split: str = "", form: Mapping[str, Any] | None = None) -> Source:
    """Examples by the name of a data source, or by the path of a folder or a file that one of them reads.

    `form` has the keys size, channels, bits, resize, upscale, range, labels, skip_broken and dir of a config's `data`,
    or some of them. `split` "" is "train".
    Raises: InputError if there are no such examples, or they are broken; NoSuchSplit if only the split is missing.
    """
    text = expand(text)
    data.need_name(text)
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
    """`count` examples of a source, chosen by a fixed seed (`selection`). Raises: InputError if it has fewer."""
    if count > source.size:
        raise InputError(f"{count:,} examples of {source.name} {source.split} were asked for: it has {source.size:,}")
    if count == source.size:
        return source
    chosen = select(source.size, count)
    return replace(
        source,
        size=count,
        read=lambda indices: source.read(chosen[np.asarray(indices)]),
        labels=None if source.labels is None else source.labels[chosen],
        names=None if source.names is None else [source.names[index] for index in chosen],
        attributes=None if source.attributes is None else source.attributes[chosen],
        fingerprint=fingerprint_of_text([source.fingerprint, f"{count} at random, seed {SEED}"]),
    )


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
    if samples.shape == reference.shape and samples.dtype == reference.dtype:
        return
    if samples.shape == reference.shape:
        raise InputError(
            f"{samples.name} has {samples.dtype}, but {reference.name} {reference.dtype}: bring them to one form with "
            "data.bits, or --bits"
        )
    first, second = (f"{source.name}: {describe_shape(source.shape)}" for source in (samples, reference))
    raise InputError(
        f"{first}, but {second}: bring them to one form with --size and --channels, or take another reference"
    )


def differing_forms(samples: str, reference: str) -> str:
    """A warning about two sets whose images were brought to their shape in different ways; "" for the same `form`."""
    if samples == reference:
        return ""
    first, second = (form or "as stored" for form in (samples, reference))
    return f"samples: {first}; reference: {second}: the numbers include the difference of the ways of resizing"


def describe_shape(shape: tuple[int, ...]) -> str:
    """Examples of a shape in words: "gray images of 28x28", "points of 2 coordinates", "series of 9 steps ..."."""
    if len(shape) == 1:
        return f"points of {shape[0]} coordinates"
    if len(shape) == 2:
        return f"series of {shape[0]} steps of {shape[1]} numbers"
    size = f"{shape[0]}x{shape[1]}"
    colors = {1: "gray ", 3: "color "}.get(shape[2])
    return f"images of {size} with {shape[2]} channels" if colors is None else f"{colors}images of {size}"
