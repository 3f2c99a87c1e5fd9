"""Differentiable augmentation: the same random transformations of reals and fakes, with gradients through them.

An augmentation is (x, key) -> x, with random numbers per example. Shapes: x [B, H, W, C] in [-1, 1] or [0, 1].
Source: arXiv:2006.10738, section 4.1, with its policies and strengths.
"""

import inspect
from collections.abc import Callable

import jax.numpy as jnp

from genjax.errors import InputError
from genjax.extensions import find
from genjax.ops import noise


def color(x, key):
    """Shift brightness by up to 1/2, scale saturation by 0 to 2 and contrast by 1/2 to 3/2."""
    brightness, saturation, contrast = noise.uniform(key, len(x), (3, 1, 1, 1)).swapaxes(0, 1)
    x = x + brightness - 0.5
    gray = x.mean(3, keepdims=True)
    x = gray + (x - gray) * 2 * saturation
    mean = x.mean((1, 2, 3), keepdims=True)
    return mean + (x - mean) * (contrast + 0.5)


def translation(x, key):
    """Shift by up to an eighth of each side, with zeros beyond the border."""
    u = noise.uniform(key, len(x), (2,))

    def moves(n, u):
        """One matrix per example that shifts a side of n pixels. Shapes: u [B] -> [B, n, n]."""
        most = (n + 4) // 8  # rounds halves up, as its code
        shift = jnp.floor(u * (2 * most + 1)).astype(jnp.int32) - most
        place = jnp.arange(n)
        return (place[:, None] - shift[:, None, None] == place).astype(x.dtype)

    rows, columns = moves(x.shape[1], u[:, 0]), moves(x.shape[2], u[:, 1])
    return jnp.einsum("bhi,bwj,bijc->bhwc", rows, columns, x)


def cutout(x, key):
    """Set a rectangle of half the sides to zero, centered at any pixel."""
    u = noise.uniform(key, len(x), (2,))

    def covered(n, u):
        """A mask of the n pixels of a side that the rectangle covers. Shapes: u [B] -> bool [B, n]."""
        half = (n + 1) // 2
        start = jnp.floor(u * (n + (1 - half % 2))).astype(jnp.int32)[:, None] - half // 2
        return (jnp.arange(n) >= start) & (jnp.arange(n) < start + half)

    hole = covered(x.shape[1], u[:, 0])[:, :, None] & covered(x.shape[2], u[:, 1])[:, None, :]
    return jnp.where(hole[..., None], 0.0, x)


POLICIES = {"color": color, "translation": translation, "cutout": cutout}


def policies(names: str) -> tuple:
    """The augmentations in a list such as "color,translation,cutout", in order; "" is none.

    Names are those of `POLICIES`, or "package.module:name". Raises: InputError.
    """
    parts = [part.strip() for part in names.split(",") if part.strip()]
    if len(set(parts)) < len(parts):
        raise InputError(f"augment={names!r}: expected each of {', '.join(POLICIES)} at most once")
    return tuple(find(POLICIES, part, "augment", check) for part in parts)


def check(augment: Callable) -> None:
    """Raises: InputError for an object that cannot be called as an augmentation."""
    try:
        inspect.signature(augment).bind("x", "key")
    except TypeError as error:
        raise InputError(f"expected a function (x, key) -> x, but it is {augment!r}") from error
