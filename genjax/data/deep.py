"""Images of 16 bits per channel: decoded without loss, and brought to a form in floats that are rounded once.

Pillow has modes for 16 bits of gray alone, and decodes color to the upper 8. Here a file is decoded twice, the second
time as if its bytes were in the other order, which gives the lower 8.
"""

import sys

import numpy as np

from genjax.data.images import (
    FORMATS,
    Form,
    finite,
    is_deep_gray,
    known_limits,
    orientation_of,
    resized,
)
from genjax.errors import InputError

UNIT = 257
"""Levels of 16 bits per level of 8: 65535 / 255."""
OTHER_ORDER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
"""Pillow's letter for the order of bytes -> that of the other order."""
LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in gray, as Pillow has them (ITU-R BT.601)."""


def decode_deep(image, form: Form, channels: int) -> np.ndarray:
    """The pixels of a PIL image that is not yet loaded, brought to the form's size and to 1 to 4 channels.

    As `genjax.data.images.decode_pixels`, in 16 bits: levels of 8 bits are multiplied by 257, gray of more than 8 bits
    is scaled from form.range to 0 ... 65535, and what surrounds an image with alpha is transparent black.
    Shapes: -> uint16 [H, W, channels].
    Raises: InputError, as `decode_pixels`, and for color with a transparent level, which Pillow does not scale.
    """
    orientation = orientation_of(image)
    x = _turned(_values(image, form), orientation)
    form.refuse_smaller(*x.shape[:2])
    return to_levels(_sized(_with_channels(x, channels), form))


def conform_deep(x: np.ndarray, form: Form) -> np.ndarray:
    """Images brought to a form. Shapes: uint16 [N, H, W, C] -> [N, *form.size, form.channels].

    Raises: InputError, as `genjax.data.images.conform`.
    """
    stored = x.shape[-1]
    channels = form.channels or stored
    if channels != stored and not {channels, stored} <= {1, 3}:
        raise InputError(f"Each image has {stored} channels, not {channels}: set data.channels={stored}, or 0")
    if form.size in (None, x.shape[1:3]) and channels == stored:
        return x
    try:
        form.refuse_smaller(*x.shape[1:3])
        images = (_with_channels(image / np.float32(UNIT), channels) for image in x)
        return np.stack([to_levels(_resized_planes(image, form)) for image in images])
    except InputError as error:
        raise InputError(f"Each image {error}") from None


def to_levels(x: np.ndarray) -> np.ndarray:
    """Values from 0 to 255 as 16 bits, rounded and clipped. Shapes: real [...] -> uint16 [...]."""
    return np.floor(np.float64(x) * UNIT + 0.5).clip(0, 65535).astype(np.uint16)


def _values(image, form: Form) -> np.ndarray:
    """Values from 0 to 255 at the file's depth, in gray or color, perhaps with alpha. Shapes: -> float32 [H, W, C]."""
    if is_deep_gray(image):
        x = np.asarray(finite(image))
        low, high = known_limits(image, x, form.range)
        return np.float32((np.float64(x) - low) * (255 / (high - low)))[..., None].clip(0, 255)
    raw = _raw_mode(image)
    if raw.rpartition(";")[0] in ("RGB", "RGBA", "LA") and raw[-1] in OTHER_ORDER and ";16" in raw:
        return _both_bytes(image, raw) / np.float32(UNIT)
    alpha = image.has_transparency_data
    gray = image.mode in ("1", "L", "LA", "La")
    x = np.asarray(image.convert("RGBA" if alpha else "RGB"), np.float32)
    return x[..., [0, *range(3, x.shape[2])]] if gray else x


def _raw_mode(image) -> str:
    """How the bytes of an image's first tile become pixels, as Pillow names it: "RGB;16B"."""
    arguments = image.tile[0][3] if image.tile else ""
    return str(arguments if isinstance(arguments, str) else arguments[0])


def _both_bytes(image, raw: str) -> np.ndarray:
    """Both bytes of each value. Shapes: -> uint16 [H, W, C]."""
    from PIL import Image

    if "transparency" in image.info:
        raise InputError("has a transparent color beside 16 bits: save it with an alpha channel, or set data.bits=8")
    stream = image.fp
    kind, order = raw[:-1], raw[-1]
    upper = np.asarray(image, np.uint16)
    stream.seek(0)
    again = Image.open(stream, formats=tuple(FORMATS))
    other = "RGBA" if kind == "LA;16" else kind + OTHER_ORDER[order]  # the four bytes of gray and alpha
    again.tile = [_read_as(tile, other) for tile in again.tile]
    lower = np.asarray(again, np.uint16)
    if kind == "LA;16":
        return lower[..., ::2] << 8 | lower[..., 1::2]
    return upper << 8 | lower


def _read_as(tile, raw: str):
    """A tile whose bytes are read in another way."""
    name, extents, offset, arguments = tile
    return type(tile)(name, extents, offset, raw if isinstance(arguments, str) else (raw, *arguments[1:]))


def _turned(x: np.ndarray, orientation: int) -> np.ndarray:
    """An image as EXIF's orientation has it displayed."""
    if orientation >= 5:
        x = x.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        x = x[:, ::-1]
    return x[::-1] if orientation in (3, 4, 7, 8) else x


def _with_channels(x: np.ndarray, channels: int) -> np.ndarray:
    """Values in gray or color, with alpha or composited on white. Shapes: [H, W, 1 to 4] -> [H, W, channels]."""
    if x.shape[2] == channels:
        return x
    colors, alpha = (x[..., :-1], x[..., -1:]) if x.shape[2] in (2, 4) else (x, np.full_like(x[..., :1], 255))
    keeps = channels in (2, 4)
    if not keeps:
        colors = 255 + (colors - 255) * (alpha / 255)
    if channels in (3, 4):
        colors = np.broadcast_to(colors, (*x.shape[:2], 3))
    elif colors.shape[2] == 3:
        colors = (colors * np.float32(LUMA)).sum(2, keepdims=True)
    return np.concatenate([colors, alpha], 2) if keeps else colors


def _sized(x: np.ndarray, form: Form) -> np.ndarray:
    """An image of 1 to 4 channels at the form's size; colors are weighted by alpha."""
    if not form.size or x.shape[:2] == form.size:
        return x
    if x.shape[2] in (1, 3):
        return _resized_planes(x, form)
    alpha = x[..., -1:]
    sized = _resized_planes(np.concatenate([x[..., :-1] * (alpha / 255), alpha], 2), form, around="black")
    alpha = sized[..., -1:].clip(0, 255)
    colors = np.where(alpha > 0, sized[..., :-1] * (255 / np.maximum(alpha, 1e-6)), 0)
    return np.concatenate([colors, alpha], 2)


def _resized_planes(x: np.ndarray, form: Form, around: str = "") -> np.ndarray:
    """Each channel at the form's size by itself, by Pillow in floats."""
    from PIL import Image

    if not form.size or x.shape[:2] == form.size:
        return x
    planes = (Image.fromarray(np.ascontiguousarray(x[..., i], np.float32)) for i in range(x.shape[2]))
    return np.stack([np.asarray(resized(plane, *form.size, form.resize, around)) for plane in planes], 2)
