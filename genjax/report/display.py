"""Images of any channels and depth as gray or color that a figure shows, and as files that hold them exactly.

A figure has 8 bits. Of 2 and 4 channels the last is alpha, over white; more than 4 are side by side, each in gray.
"""

import io
import struct
import zlib

import numpy as np

COLOR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""Color types of a PNG by number of channels."""


def shown(images) -> np.ndarray:
    """Images as a figure shows them; those of 8 bits in gray or color are unchanged.

    Shapes: uint8 or uint16 [..., H, W, C] -> uint8 [..., H, W, 1 or 3], or [..., H, C W, 1] of more than 4 channels.
    """
    x = np.asarray(images)
    if x.dtype == np.uint16:
        x = np.rint(x / np.float32(257)).astype(np.uint8)
    channels = x.shape[-1]
    if channels in (1, 3):
        return x
    if channels > 4:
        return tiled(x)
    alpha = x[..., -1:].astype(np.int32)
    return ((x[..., :-1] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def tiled(x: np.ndarray) -> np.ndarray:
    """The channels of each image side by side. Shapes: [..., H, W, C] -> [..., H, C W, 1]."""
    *leading, height, width, channels = x.shape
    return np.moveaxis(x, -1, -2).reshape(*leading, height, channels * width, 1)


def png(x: np.ndarray) -> bytes:
    """A PNG that holds an image exactly, for 1 to 4 channels of 8 or 16 bits. Shapes: uint8 or uint16 [H, W, C].

    Pillow writes 16 bits of gray alone. Source: the PNG specification, sections 5 and 11 (rows unfiltered).
    """
    height, width, channels = x.shape
    bits = 8 * x.dtype.itemsize
    header = struct.pack(">IIBBBBB", width, height, bits, COLOR_TYPES[channels], 0, 0, 0)
    rows = np.ascontiguousarray(x.astype(x.dtype.newbyteorder(">"))).reshape(height, -1).view(np.uint8)
    data = zlib.compress(np.pad(rows, ((0, 0), (1, 0))).tobytes(), 6)
    file = io.BytesIO(b"\x89PNG\r\n\x1a\n")
    file.seek(0, io.SEEK_END)
    for kind, content in ((b"IHDR", header), (b"IDAT", data), (b"IEND", b"")):
        file.write(struct.pack(">I", len(content)) + kind + content)
        file.write(struct.pack(">I", zlib.crc32(kind + content)))
    return file.getvalue()


def file_of(x: np.ndarray) -> tuple[str, bytes]:
    """The ending and contents of a file that holds an image exactly: a PNG, or a .npy of more than 4 channels."""
    if x.shape[2] in COLOR_TYPES:
        return ".png", png(x)
    data = io.BytesIO()
    np.save(data, x, allow_pickle=False)
    return ".npy", data.getvalue()
