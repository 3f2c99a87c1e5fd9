"""Images or points in an array: a .npy, a .npz or an HDF5 file, in the forms in which people store them."""

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from genjax.data import encoded
from genjax.data.deep import conform_deep, to_levels
from genjax.data.images import Form, conform, form_text, to_bytes
from genjax.data.labels import Labels, of_words
from genjax.data.request import Request
from genjax.data.source import Source, fingerprint_of_chunks, in_memory
from genjax.data.splits import parse
from genjax.errors import InputError, optional
from genjax.text import listed

LABELS = ("labels", "label", "y", "targets")
"""Names of the array of labels in a file of several arrays."""
RANGES = {(0, 1): "0 to 1", (-1, 1): "-1 to 1", (0, 255): "0 to 255"}
"""Ranges that floating-point pixels are taken to have: the first that holds all of them."""
CHUNK = 1024


def load_array(request: Request) -> Source:
    """The images or points of a .npy, a .npz or an HDF5 file, as the split "train" (slices included).

    FILE is a path, or "PATH:NAME" for one of several arrays. Images are uint8, 16-bit or floating-point, [N, H, W, C],
    [N, H, W] or [N, C, H, W] with any number of channels; points are [N, D]. An array "labels" of whole numbers or
    words [N] has the classes, "label_names" their names, and "names" those of the examples. How the array was read,
    and what else is in the file, is said in the source's notes.
    Shapes: uint8 or uint16 (H, W, C), or float32 (D,).
    Raises: InputError for a file that is missing, broken or of another form, and for pixels without a known range.
    """
    parts = parse(request.split, ("train",))
    path, key = _split_key(request.argument)
    if not path.is_file():
        raise InputError(f"{request.name}: no such file; expected the path of a .npy, .npz or .h5")
    with _readable(path):
        arrays = _open(path)
        key = key or _find_examples(path, arrays)
        if key not in arrays:
            raise InputError(f"{path} has no array {key!r}; it has {listed(list(arrays), 9)}")
        x = arrays[key]
        read, shape, notes = _reader(path, x, request.form)
        others = {name: other for name, other in arrays.items() if name != key}
        beside = _find_labels(path, others, len(x))
        names = _find_names(others, len(x))
    bounds = [part.bounds(len(x)) for part in parts]
    indices = np.concatenate([np.arange(*bound) for bound in bounds])
    labels = None if beside.classes is None else beside.classes[indices]

    def read_examples(positions: np.ndarray) -> np.ndarray:
        with _readable(path):
            return read(indices[np.asarray(positions)])

    chunks = (read_examples(np.arange(i, min(i + CHUNK, len(indices)))) for i in range(0, len(indices), CHUNK))
    if len(shape) == 1 or len(indices) * prod(shape) * request.form.dtype.itemsize <= encoded.MAX_IN_MEMORY:
        source = in_memory(request.name, request.split, np.concatenate(list(chunks)), labels, beside.names)
    else:
        fingerprint = fingerprint_of_chunks(chunks, len(indices), labels)
        size, dtype = len(indices), request.form.dtype
        source = Source(
            request.name, request.split, size, shape, dtype, read_examples, labels, beside.names, fingerprint
        )
    return replace(
        source,
        notes=(*notes, *filter(None, [beside.note, _left_out(others)])),
        form=_form_text(path, x, shape, request.form),
        names=None if names is None else [names[index] for index in indices],
    )


def _split_key(text: str) -> tuple[Path, str]:
    path = Path(text)
    before, colon, key = text.rpartition(":")
    return (Path(before), key) if colon and not path.is_file() else (path, "")


@contextmanager
def _readable(path: Path):
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # NumPy, zipfile and h5py raise anything for damaged files
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0] or type(error).__name__
        if "allow_pickle" in reason or "Python objects" in reason:
            reason = "it is no array, or holds Python objects, which are not loaded"
        raise InputError(f"{path} cannot be read as arrays: {reason}") from error


def _open(path: Path) -> Mapping[str, Any]:
    """The arrays of a file by name; that of a .npy is "". No pickle is loaded."""
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return {"": np.load(path, allow_pickle=False, mmap_mode="r")}
    if suffix == ".npz":
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    if suffix in (".h5", ".hdf5"):
        h5py = optional("h5py", str(path))
        items = {}
        h5py.File(path, "r").visititems(items.__setitem__)
        return {name: item for name, item in items.items() if isinstance(item, h5py.Dataset) and item.shape is not None}
    raise InputError(f"{path}: expected a .npy, a .npz or a .h5")


def _find_examples(path: Path, arrays: Mapping[str, Any]) -> str:
    """The name of the array of examples: the only one of several rows that has no label's name."""
    names = [name for name, x in arrays.items() if len(x.shape) >= 2 and name.rpartition("/")[2] not in LABELS]
    if len(names) != 1:
        contents = listed([_described(name, x) for name, x in arrays.items()], 9) or "no array"
        hint = f"; name one, as in array:{path}:{names[0]}" if names else ""
        raise InputError(f"{path} has {contents}: expected one array of images [N, H, W, C] or points [N, D]{hint}")
    return names[0]


def _described(name: str, x: Any) -> str:
    return f"{name} {x.dtype} {list(x.shape)}".strip()


def _find_labels(path: Path, arrays: Mapping[str, Any], count: int) -> Labels:
    """The classes of the first array with a label's name; the note has arrays of such names that are not used."""
    named = {name: x for name, x in arrays.items() if name.rpartition("/")[2] in LABELS}
    usable = [name for name, x in named.items() if x.shape in ((count,), (count, 1)) and _is_label(x)]
    unused = [_described(name, x) for name, x in named.items() if name not in usable[:1]]
    reason = f"{usable[0]} is used" if usable else f"expected whole numbers or words [{count}]"
    note = f"{'not used' if usable else 'no labels'}: {listed(unused)}; {reason}" if unused else ""
    if not usable:
        return Labels(note=note)
    labels = np.asarray(named[usable[0]]).reshape(-1)
    if labels.dtype.kind == "U":
        return of_words(labels.tolist())._replace(note=note)
    if labels.min() < 0 or labels.max() >= 2**31:
        low, high = int(labels.min()), int(labels.max())
        raise InputError(f"{path}: {usable[0]} has values from {low} to {high}: expected from 0 on")
    classes = labels.astype(np.int32)
    names = np.asarray(arrays.get("label_names", ()))
    is_named = names.ndim == 1 and names.dtype.kind == "U" and classes.max() < len(names)
    return Labels(classes, tuple(names.tolist() if is_named else map(str, range(classes.max() + 1))), note=note)


def _is_label(x: Any) -> bool:
    """Whether an array has whole numbers, whatever their type, or words."""
    return x.dtype.kind in "iubU" or (x.dtype.kind == "f" and bool((np.asarray(x) % 1 == 0).all()))


def _left_out(arrays: Mapping[str, Any]) -> str:
    """A line for the arrays that are neither labels nor names; "" if there are none."""
    known = (*LABELS, "names", "label_names")
    others = [_described(name, x) for name, x in arrays.items() if x.shape and name.rpartition("/")[2] not in known]
    return f"left out: {listed(others)}" if others else ""


def _find_names(arrays: Mapping[str, Any], count: int) -> list[str] | None:
    """The names of the examples, as `genjax.encode` and `genjax.sample` write them."""
    names = np.asarray(arrays.get("names", ()))
    return names.tolist() if names.shape == (count,) and names.dtype.kind == "U" else None


def _reader(path: Path, x: Any, form: Form) -> tuple[Callable[[np.ndarray], np.ndarray], tuple[int, ...], tuple]:
    """A function of indices that reads examples, their shape, and notes."""
    if x.dtype.kind not in "fiub" or len(x.shape) not in (2, 3, 4) or 0 in x.shape:
        raise InputError(f"{path} holds {x.dtype} {list(x.shape)}: expected images [N, H, W, C] or points [N, D]")
    if len(x.shape) == 2:
        return _read_points(path, x, form)
    if len(x.shape) == 3 and x.dtype.kind == "f":
        raise InputError(
            f"{path} holds {x.dtype} {list(x.shape)}: name series as series:{path}, or add an axis of channels"
        )
    if len(x.shape) == 3 and x.shape[2] in (1, 3):
        raise InputError(
            f"{path} holds {x.dtype} {list(x.shape)}, perhaps one image: write it as x[None], [1, H, W, C]"
        )
    notes = []
    channels_first = len(x.shape) == 4 and _channels_first(path, x, form.channels)
    if channels_first:
        notes.append(f"{list(x.shape)} is read as [N, C, H, W]")
    elif len(x.shape) == 4 and x.shape[3] not in (1, 3):
        notes.append(f"{list(x.shape)} is read as [N, H, W, C], {x.shape[3]} channels")
    elif len(x.shape) == 3 and x.shape[0] in (1, 3):
        notes.append(f"{list(x.shape)} is read as [N, H, W], {x.shape[0]} in gray")
    limits, largest = _range(path, x, form)
    white = 65535 if form.bits == 16 else 255
    how = f"{x.dtype} from {limits[0]:g} to {limits[1]:g} becomes 0 to {white}" if limits else ""
    if how and form.bits == 8 and limits[1] > 255:
        how += "; data.bits=16 keeps 16 bits"
    hint = f"the largest value is {largest:g}: data.range=0,{largest:g} makes that white" if largest else ""
    notes += filter(None, ["; ".join(filter(None, [how, hint]))])

    def read(indices: np.ndarray) -> np.ndarray:
        rows = _rows(x, indices)
        rows = rows[..., None] if rows.ndim == 3 else np.moveaxis(rows, 1, 3) if channels_first else rows
        if form.bits == 16:
            rows = rows if limits is None else _as_levels(_finite(path, rows, "pixels"), limits)
            return conform_deep(np.ascontiguousarray(rows), form)
        rows = rows if limits is None else to_bytes(_finite(path, rows, "pixels"), limits)
        return conform(np.ascontiguousarray(rows), form)

    return read, read(np.array([0])).shape[1:], tuple(notes)


def _as_levels(x: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """Values of a range as 16 bits. Shapes: real [...] -> uint16 [...]."""
    low, high = limits
    return to_levels((np.float64(x) - low) * (255 / (high - low)))


def _channels_first(path: Path, x: Any, channels: int) -> bool:
    """Whether images are [N, C, H, W], not [N, H, W, C]: C is 1 or 3, else `channels`, else below both sides.

    Raises: InputError where that holds of neither or, without 1 or 3, of both.
    """
    _, second, _, last = x.shape
    shorter = [min(x.shape[2:4]), min(x.shape[1:3])]
    for fits in (
        [n in (1, 3) for n in (second, last)],
        [n == channels for n in (second, last)],
        [n < side for n, side in zip((second, last), shorter, strict=True)],
    ):
        if any(fits):
            if all(fits) and last not in (1, 3):
                break
            return not fits[1]
    raise InputError(
        f"{path} holds {x.dtype} {list(x.shape)}: the channels may be the last axis or the second: set data.channels "
        "to their number, or write it as [N, H, W, C] with fewer channels than pixels per side"
    )


def _read_points(path: Path, x: Any, form: Form):
    if form.size or form.channels:
        raise InputError(f"{path} has points, not images: leave data.size and data.channels unset")

    def read(indices: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            return _finite(path, _rows(x, indices).astype(np.float32), "points")

    as_points = f", {list(x.shape)} as points [N, D]" if x.dtype == np.uint8 else ""
    return read, tuple(x.shape[1:]), () if x.dtype == np.float32 else (f"{x.dtype} is read as float32{as_points}",)


def _finite(path: Path, x: np.ndarray, kind: str) -> np.ndarray:
    """The array itself. Raises: InputError if it has values that are not finite."""
    if not np.isfinite(x).all():
        raise InputError(f"{path} has NaN or infinity in it: expected finite {kind}")
    return x


def _range(path: Path, x: Any, form: Form) -> tuple[tuple[float, float] | None, float]:
    """The values of black and white, None of those that are kept; and the largest one where that is dark, else 0.

    Raises: InputError for values outside of every known range.
    """
    if x.dtype == bool:
        return (0, 1), 0
    if form.range:
        return form.range, 0
    chunks = (_finite(path, np.asarray(x[i : i + CHUNK]), "pixels") for i in range(0, len(x), CHUNK))
    extremes = [(rows.min(), rows.max()) for rows in chunks]
    low, high = min(pair[0] for pair in extremes), max(pair[1] for pair in extremes)
    known = RANGES if x.dtype.kind == "f" else {(0, 255): "", (0, 65535): ""}
    for limits in known:
        if limits[0] <= low and high <= limits[1]:
            return None if x.dtype == form.dtype else limits, float(high) if 2 * float(high) < limits[1] else 0
    raise InputError(
        f"{path} has {x.dtype} from {low:g} to {high:g}, neither {' nor '.join(f'{a} to {b}' for a, b in known)}: set "
        "data.range to the values of black and white, as in data.range=0,4095"
    )


def _rows(x: Any, indices: np.ndarray) -> np.ndarray:
    """Rows of an array or an HDF5 data set, which takes increasing indices alone."""
    if isinstance(x, np.ndarray):
        return np.asarray(x[indices])
    unique, inverse = np.unique(indices, return_inverse=True)
    return x[unique][inverse]


def _form_text(path: Path, x: Any, shape: tuple[int, ...], form: Form) -> str:
    if len(shape) == 1 or shape[:2] in (x.shape[1:3], x.shape[2:4]):
        return ""
    first = len(x.shape) == 4 and _channels_first(path, x, form.channels)
    return form_text(x.shape[2:4] if first else x.shape[1:3], shape, form)
