"""The user's own series: an archive of many, or one long series that is cut into windows, apart or overlapping."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from genjax.data.request import Request
from genjax.data.source import Source, in_memory
from genjax.data.splits import read_splits
from genjax.data.table import SUFFIXES as TABLES
from genjax.data.table import read_table
from genjax.errors import InputError

ARCHIVES = (".npz", ".npy")


def load_series(request: Request) -> Source:
    """Series from arrays or from a table, as the split "train" (slices included), in the order of the file.

    A `.npz` has `x` [N, steps, numbers] (or [N, steps]) and may have `lengths` int [N]; a `.npy` is `x` alone. A table
    (see `genjax.data.table`) has one line per step and one column per number; `data.size` is the number of steps of a
    window, the last of which may be shorter.
    Steps after a series' end are read as NaN, whatever the file holds there; see `genjax.ops.padding`.
    Shapes: float32 (T, F).
    Raises: InputError for a file that is missing, broken or of another form, for NaN within a series, and for forms
    that only images have.
    """
    path = Path(request.argument)
    size = request.form.size
    is_table = path.suffix.lower() in TABLES
    if request.form.channels or (size and not is_table):
        raise InputError(
            f"{request.name} has series, not images: leave data.channels unset, and data.size except for a table"
        )
    if not is_table and path.suffix.lower() not in ARCHIVES:
        raise InputError(
            f"{request.name}: expected a .npz with an array x [N, steps, numbers], or a table with one line per step "
            f"({', '.join(TABLES)})"
        )
    if not path.is_file():
        raise InputError(f"{request.name}: no such file; write series:PATH with the path of a .npz or a .csv")
    x, notes = _windows(path, size) if is_table else _archive(path)
    x, _ = read_splits(request.split, ("train",), lambda _: (x, None))
    return replace(in_memory(request.name, request.split, x, None), notes=notes)


def load_windows(request: Request) -> Source:
    """All windows of `data.size` consecutive steps of one long series, as TimeGAN's authors cut theirs.

    The series is a table, or an array `x` [steps, numbers] (or [steps]) of a .npz or .npy. Windows overlap, so slices
    of the split "train" share steps where they meet.
    Shapes: float32 (data.size, F); steps - data.size + 1 windows.
    Raises: InputError, as `load_series`, and for a series shorter than a window.
    """
    path = Path(request.argument)
    size = request.form.size
    is_table = path.suffix.lower() in TABLES
    if request.form.channels or size is None or size[0] != size[1]:
        raise InputError(
            f"{request.name} is one long series: set the number of steps per window, as in data.size=24, and leave "
            "data.channels unset"
        )
    if not is_table and path.suffix.lower() not in ARCHIVES:
        raise InputError(f"{request.name}: expected a .npy or .npz with an array x [steps, numbers], or a table")
    if not path.is_file():
        raise InputError(f"{request.name}: no such file; write windows:PATH with the path of a .npy or a .csv")
    x, notes = read_table(path) if is_table else (_long(path), ())
    if len(x) < size[0]:
        raise InputError(f"{path} has {len(x):,} steps, fewer than a window of data.size={size[0]}: set a smaller one")
    windows = np.lib.stride_tricks.sliding_window_view(x, size[0], 0).swapaxes(1, 2)
    windows, _ = read_splits(request.split, ("train",), lambda _: (windows, None))
    return replace(in_memory(request.name, request.split, windows, None), notes=notes)


def _long(path: Path) -> np.ndarray:
    """One series of an archive. Shapes: -> float32 [steps, numbers]. Raises: InputError."""
    x = _arrays(path).get("x", np.zeros(0, object))
    x = x[:, None] if x.ndim == 1 else x
    if x.ndim != 2 or x.dtype.kind not in "fiu" or 0 in x.shape:
        raise InputError(
            f"{path}: x is {x.dtype} {list(x.shape)}; expected real numbers [steps, numbers] of one series; many "
            "series [N, steps, numbers] are series:PATH"
        )
    with np.errstate(over="ignore"):
        x = x.astype(np.float32)
    return _checked(path, x[None], np.zeros((1, len(x)), bool))[0]


def _archive(path: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    arrays = _arrays(path)
    if "x" not in arrays:
        raise InputError(f"{path} has no array x: write it as numpy.savez(path, x=x, lengths=lengths)")
    x = arrays["x"]
    x = x[..., None] if x.ndim == 2 else x
    if x.ndim != 3 or x.dtype.kind not in "fiu" or 0 in x.shape:
        raise InputError(f"{path}: x is {x.dtype} {list(x.shape)}; expected real numbers [N, steps, numbers]")
    lengths = arrays.get("lengths", _ends(x))
    integral = lengths.dtype.kind in "iuf" and np.isfinite(lengths).all() and (lengths % 1 == 0).all()
    if lengths.shape != (len(x),) or not integral or lengths.min() < 1 or lengths.max() > x.shape[1]:
        raise InputError(
            f"{path}: lengths must be {len(x)} whole numbers from 1 to {x.shape[1]}, the steps of each series"
        )
    past = np.arange(x.shape[1]) >= lengths[:, None]
    with np.errstate(over="ignore"):
        x = np.where(past[..., None], np.float32(np.nan), x.astype(np.float32))
    return _checked(path, x, past), () if "lengths" in arrays else _note_on_zeros(x)


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays x and lengths of a file, as far as it has them. Raises: InputError."""
    try:
        with open(path, "rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return {"x": loaded}
            return {key: loaded[key] for key in ("x", "lengths") if key in loaded}
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except Exception as error:  # a damaged archive can raise anything
        if "Object arrays" in str(error):
            reason = "it holds pickled objects, which are never loaded; pad the series with NaN to one array"
        else:
            reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{path} cannot be read as arrays: {reason}") from error


def _note_on_zeros(x: np.ndarray) -> tuple[str, ...]:
    """A note on series whose last steps are zero, as padding is."""
    count = int((x[:, -2:] == 0).all((1, 2)).sum())
    text = f"{count:,} of {len(x):,} series end in zeros, which are read as steps"
    return (f"{text}; if they are padding, add the lengths [N] to the file",) if count else ()


def _ends(x: np.ndarray) -> np.ndarray:
    """The number of steps of each series up to the last one that is not NaN. Shapes: [N, T, F] -> [N]."""
    return x.shape[1] - (~np.isnan(x).all(-1))[:, ::-1].argmax(1)


def _windows(path: Path, size: tuple[int, int] | None) -> tuple[np.ndarray, tuple[str, ...]]:
    if size is None or size[0] != size[1]:
        raise InputError(f"{path} is one long series: set the number of steps per window, as in data.size=64")
    x, notes = read_table(path)
    x = np.pad(x, ((0, -len(x) % size[0]), (0, 0)), constant_values=np.nan)
    return x.reshape(-1, size[0], x.shape[1]), notes


def _checked(path: Path, x: np.ndarray, past: np.ndarray) -> np.ndarray:
    bad = np.argwhere(~np.isfinite(x).all(-1) & ~past)
    if len(bad):
        series, step = bad[0].tolist()
        raise InputError(
            f"{path}: step {step} of series {series} is not finite ({len(bad)} such steps in all): fill or remove them"
        )
    return x
