"""Checks of the arrays that metrics take; each refusal is one sentence that says what to do."""

import numpy as np

from genjax.errors import InputError


def table(name, x, rows=1):
    """`x` as a table of finite numbers, one example per row; all axes after the first are flattened.

    Shapes: [N, ...] -> [N, D], of the same type.
    Raises: InputError for fewer than `rows` examples, no axis for them, NaN, infinity or no numbers.
    """
    x = finite(name, x)
    if x.ndim < 2 or 0 in x.shape[1:]:
        raise InputError(f"{name} has shape {x.shape}: expected [N, D], one example per row.")
    if len(x) < rows:
        raise InputError(f"{name} has {len(x)} examples where at least {rows} are needed: give more.")
    return x.reshape(len(x), -1)


def images(name, x, rows=1):
    """`x` as finite images. Shapes: [N, H, W, C], kept. Raises: InputError as `table` does."""
    if np.ndim(x) != 4:
        raise InputError(f"{name} has shape {np.shape(x)}: expected images [N, H, W, C]; add the missing axes.")
    table(name, x, rows)
    return np.asarray(x)


def finite(name, x):
    """`x` as a NumPy array of real, finite numbers. Raises: InputError, naming the first that is not."""
    x = np.asarray(x)
    if x.dtype.kind in "cOSUMm":
        raise InputError(f"{name} holds {x.dtype}: expected real numbers.")
    if x.dtype.kind in "bui":
        return x
    good = np.isfinite(x)
    if not good.all():
        first = tuple(int(i) for i in np.argwhere(~good)[0])
        raise InputError(
            f"{name} has {x[first]} at {list(first)} ({(~good).sum()} of {x.size} numbers are not finite): "
            "expected finite numbers; find out where they come from first."
        )
    return x


def same_width(name, x, other_name, other):
    """Raise InputError unless two tables have examples of one size."""
    if x.shape[1:] != other.shape[1:]:
        raise InputError(
            f"{name} has examples of shape {x.shape[1:]} but {other_name} of {other.shape[1:]}: "
            "expected the same; take both from one source."
        )


def same_shape(name, x, other_name, other):
    """Raise InputError unless two arrays have one shape."""
    if x.shape != other.shape:
        raise InputError(f"{name} has shape {x.shape} but {other_name} {other.shape}: expected pairs, of one shape.")


def count(name, value, least=1):
    """Raise InputError unless `value` is an integer of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise InputError(f"{name} is {value!r}: expected an integer of at least {least}.")
