"""What is judged, and what it is judged against, as sources of examples."""

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from genjax import data
from genjax.data.source import Source, fingerprint_of_text, in_memory
from genjax.engine.outputs import apply_in_batches
from genjax.engine.phase import Task
from genjax.engine.state import State, local
from genjax.errors import InputError
from genjax.run.restore import weights_sha256


def samples_of(task: Task, state: State, shape: tuple[int, ...], count: int, names=(), **options: Any) -> Source:
    """The examples that a run makes of the seeds 0 .. count - 1; made when they are read, each time the same.

    Where they have classes, their labels are those, and `names` what the data calls them.

    `options` are those of the task's "sample" output, as `truncation=0.7`; the defaults may be left out.
    """
    state = local(state)
    made_by = fingerprint_of_text([weights_sha256(state), repr(sorted(options.items()))])

    def read(seeds: np.ndarray) -> np.ndarray:
        return apply_in_batches(task.outputs["sample"], state, np.asarray(seeds, np.int32), **options)

    dtype = np.dtype(np.uint8 if len(shape) == 3 else np.float32)
    name, split = "samples", f"seeds 0-{count - 1}"
    labels, names = (np.arange(count, dtype=np.int32) % task.classes, tuple(names)) if task.classes else (None, ())
    return Source(name, split, count, tuple(shape), dtype, read, labels, names, made_by)


def open_images(text: str, split: str = "", form: Mapping[str, Any] | None = None) -> Source:
    """Images by what a user calls them: a folder, a .npy of uint8 [N, H, W, C], or a data set's name.

    `form` has the keys of a config's `data` that say how images are brought to one form. `split` "" is "train".
    Raises: InputError if there is nothing of the kind, or it is broken.
    """
    path = Path(text).expanduser()
    if path.suffix == ".npy":
        return _array(path)
    if text not in data.NAMES and ":" not in text:
        if not path.is_dir():
            raise InputError(
                f"{text!r} is no folder of images, no .npy of them and no data set "
                f"({', '.join(data.NAMES)}, tfds:NAME, folder:PATH, series:PATH)"
            )
        text = f"folder:{path}"
    config = ConfigDict({"size": "", "channels": 0, "resize": "crop", "dir": ""} | dict(form or {}))
    config.name, config.split = text, split or "train"
    return data.load(config)


def _array(path: Path) -> Source:
    try:
        x = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path} cannot be read as an array: {getattr(error, 'strerror', None) or error}") from error
    if not isinstance(x, np.ndarray):
        raise InputError(f"{path} is an archive: expected one array, as numpy.save writes it")
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        raise InputError(f"{path} has NaN or infinity in it: expected finite points, or uint8 pixels")
    if x.ndim == 2 and x.dtype == np.float32 and len(x):
        return in_memory(str(path), "", x, None)
    if x.dtype != np.uint8 or x.ndim != 4 or x.shape[3] not in (1, 3) or 0 in x.shape:
        raise InputError(
            f"{path} holds {x.dtype} {list(x.shape)}: expected images, uint8 [N, H, W, 1 or 3], "
            "or points, float32 [N, D]"
        )
    return in_memory(str(path), "", x, None)


def take(source: Source, count: int) -> Source:
    """The first `count` examples of a source. Raises: InputError if it has fewer."""
    if count > source.size:
        raise InputError(f"{count:,} examples of {source.name} {source.split} were asked for: it has {source.size:,}")
    if count == source.size:
        return source
    labels = None if source.labels is None else source.labels[:count]
    fingerprint = fingerprint_of_text([source.fingerprint, f"first {count}"])
    return replace(source, size=count, labels=labels, fingerprint=fingerprint)


def heldout(needed: bool, reference: Source, split: str, form: Mapping[str, Any]) -> Source | None:
    """Examples of a reference's distribution that nothing was trained on, if they are needed.

    `split` "" is "test" where there is one. Raises: InputError if a split that is named cannot be had.
    """
    if not needed:
        return None
    if split:
        return open_images(reference.name, split, form)
    with contextlib.suppress(InputError):
        found = open_images(reference.name, "test", form)
        return None if found.fingerprint == reference.fingerprint else found


def check_same_shape(samples: Source, reference: Source) -> None:
    """Refuse to judge examples against others of another form. Raises: InputError."""
    if samples.shape == reference.shape:
        return
    words = [f"{source.name}: {describe_shape(source.shape)}" for source in (samples, reference)]
    raise InputError(
        f"{words[0]}, but {words[1]}: bring them to one form with --size and --channels, or take another reference"
    )


def describe_shape(shape: tuple[int, ...]) -> str:
    """What examples of a shape are: "gray images of 28x28", "points of 2 coordinates", "series of 9 steps ..."."""
    if len(shape) == 1:
        return f"points of {shape[0]} coordinates"
    if len(shape) == 2:
        return f"series of {shape[0]} steps of {shape[1]} numbers"
    return f"{'gray' if shape[2] == 1 else 'color'} images of {shape[0]}x{shape[1]}"
