"""The user's own series: an archive of many, or one long series that is cut into windows."""

import csv
import zipfile
from pathlib import Path

import numpy as np

from genjax.data.request import Request
from genjax.data.source import Source, in_memory
from genjax.data.splits import read_splits
from genjax.errors import InputError


def load_series(request: Request) -> Source:
    """Series from a `.npz` or a `.csv`, as the split "train" (slices included), in the order of the file.

    The archive has `x` [N, steps, numbers] (or [N, steps]) and may have `lengths` int [N]. The table has one line per
    step and one column per number; `data.size` is the number of steps of a window, the last of which may be shorter.
    Steps after a series' end are read as NaN, whatever the file holds there; see `genjax.ops.padding`.
    Shapes: float32 (T, F).
    Raises: InputError for a file that is missing, broken or of another form, for NaN within a series, and for forms
    that only images have.
    """
    path = Path(request.argument)
    size = request.form.size
    if request.form.channels or (size and path.suffix != ".csv"):
        raise InputError(
            f"{request.name} has series, not images: leave data.channels unset, and data.size except for a .csv"
        )
    if path.suffix not in (".npz", ".csv"):
        raise InputError(
            f"{request.name}: expected a .npz with an array x [N, steps, numbers], or a .csv with one line per step"
        )
    if not path.is_file():
        raise InputError(f"{request.name}: no such file; write series:PATH with the path of a .npz or a .csv")
    x = _archive(path) if path.suffix == ".npz" else _table(path, size)
    return in_memory(request.name, request.split, read_splits(request.split, ("train",), lambda _: (x, None))[0], None)


def _archive(path: Path) -> np.ndarray:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in ("x", "lengths") if key in file}
    except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} cannot be read as arrays: {getattr(error, 'strerror', None) or error}") from error
    if "x" not in arrays:
        raise InputError(f"{path} has no array x: write it as numpy.savez(path, x=x, lengths=lengths)")
    x = arrays["x"]
    x = x[..., None] if x.ndim == 2 else x
    if x.ndim != 3 or x.dtype.kind not in "fiu" or 0 in x.shape:
        raise InputError(f"{path}: x is {x.dtype} {list(x.shape)}; expected real numbers [N, steps, numbers]")
    lengths = arrays.get("lengths", _ends(x))
    if lengths.shape != (len(x),) or lengths.dtype.kind not in "iu" or lengths.min() < 1 or lengths.max() > x.shape[1]:
        raise InputError(
            f"{path}: lengths must be {len(x)} whole numbers from 1 to {x.shape[1]}, the steps of each series"
        )
    past = np.arange(x.shape[1]) >= lengths[:, None]
    return _checked(path, np.where(past[..., None], np.float32(np.nan), x.astype(np.float32)), past)


def _ends(x: np.ndarray) -> np.ndarray:
    """The number of steps of each series up to the last one that is not NaN. Shapes: [N, T, F] -> [N]."""
    return x.shape[1] - (~np.isnan(x).all(-1))[:, ::-1].argmax(1)


def _table(path: Path, size: tuple[int, int] | None) -> np.ndarray:
    if size is None or size[0] != size[1]:
        raise InputError(f"{path} is one long series: set the number of steps per window, as in data.size=64")
    try:
        with open(path, newline="", encoding="utf-8") as file:
            lines = [line for line in csv.reader(file) if any(cell.strip() for cell in line)]
        if lines and not _is_numbers(lines[0]):  # names of the columns
            lines = lines[1:]
        x = np.array([[float(cell) for cell in line] for line in lines], np.float32)
    except (OSError, ValueError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise InputError(f"{path} cannot be read as a table of numbers, one line per step: {reason}") from error
    if not len(x):
        raise InputError(f"{path} is empty: expected one line per step, numbers separated by commas")
    x = np.pad(x, ((0, -len(x) % size[0]), (0, 0)), constant_values=np.nan)
    past = np.arange(len(x)) >= len(lines)
    return _checked(path, x.reshape(-1, size[0], x.shape[1]), past.reshape(-1, size[0]))


def _is_numbers(line: list[str]) -> bool:
    try:
        return bool([float(cell) for cell in line])
    except ValueError:
        return False


def _checked(path: Path, x: np.ndarray, past: np.ndarray) -> np.ndarray:
    bad = np.argwhere(~np.isfinite(x).all(-1) & ~past)
    if len(bad):
        series, step = bad[0].tolist()
        raise InputError(
            f"{path}: step {step} of series {series} is not finite ({len(bad)} such steps in all): fill or remove them"
        )
    return x
