"""Series of the user's own: an archive of many, or one long one that is cut into windows."""

import csv
import zipfile
from pathlib import Path

import numpy as np

from genjax.data.images import Form
from genjax.data.source import Source, in_memory
from genjax.data.splits import gather
from genjax.errors import InputError


def load_series(name: str, split: str, form: Form) -> Source:
    """Series from a `.npz` or a `.csv`, as the split "train" (slices included), in the order of the file.

    The archive has `x` [N, steps, numbers] (or [N, steps]) and may have `lengths` int [N]. The table has a line a step
    and a column a number; `data.size` says how many steps a window has, the last of which may be shorter. Steps after
    a series' end are NaN in what is read, whatever the file has there; see `genjax.ops.padding`.

    Shapes: float32 (T, F).
    Raises: InputError for a file that is missing, broken or of another form, for NaN within a series, and for forms
    that only images have.
    """
    path = Path(name.partition(":")[2]).expanduser()
    if form.channels or (form.size and path.suffix != ".csv"):
        raise InputError(f"{name} has series, not images: leave data.channels unset, and data.size but for a .csv")
    readers = {".npz": _archive, ".csv": lambda path: _table(path, form.size)}
    if path.suffix not in readers:
        raise InputError(f"{name}: expected a .npz with an array x [N, steps, numbers], or a .csv with a line a step")
    if not path.is_file():
        raise InputError(f"{name}: no such file; write series:PATH with the path of a .npz or a .csv")
    x = readers[path.suffix](path)
    return in_memory(name, split, gather(split, ("train",), lambda _: (x, None))[0], None)


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
    """Steps of each series up to the last that has a number: those after a series' end may be NaN already."""
    return x.shape[1] - (~np.isnan(x).all(-1))[:, ::-1].argmax(1)


def _table(path: Path, size: tuple[int, int] | None) -> np.ndarray:
    if size is None or size[0] != size[1]:
        raise InputError(f"{path} is one long series: say how many steps a window of it has, as in data.size=64")
    try:
        with open(path, newline="", encoding="utf-8") as file:
            lines = [line for line in csv.reader(file) if any(cell.strip() for cell in line)]
        lines = lines[1:] if lines and not _is_numbers(lines[0]) else lines  # names of the columns
        x = np.array([[float(cell) for cell in line] for line in lines], np.float32)
    except (OSError, ValueError, csv.Error) as error:
        why = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise InputError(f"{path} cannot be read as a table of numbers, a line a step: {why}") from error
    if not len(x):
        raise InputError(f"{path} is empty: expected a line a step, its numbers parted by commas")
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
            f"{path}: step {step} of series {series} is not finite (steps of {len(bad)} in all): fill or cut such steps"
        )
    return x
