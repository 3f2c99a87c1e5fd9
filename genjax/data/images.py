"""Decoding and resizing of images: orientation, transparency, depth, size and channels."""

import re
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from genjax.errors import InputError, did_you_mean

RESIZES = ("crop", "squash", "pad", "frame")
FORMATS = {
    "PNG": (".png", ".apng"),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
    "WEBP": (".webp",),
    "GIF": (".gif",),
    "BMP": (".bmp",),
    "DIB": (".dib",),
    "TIFF": (".tif", ".tiff"),
    "AVIF": (".avif", ".avifs"),
    "JPEG2000": (".jp2", ".j2k", ".jpc", ".jpf", ".jpx", ".j2c"),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm", ".pfm"),
    "QOI": (".qoi",),
    "ICO": (".ico",),
    "PSD": (".psd",),
    "DDS": (".dds",),
    "SGI": (".sgi", ".rgb", ".rgba", ".bw"),
    "PCX": (".pcx",),
    "SUN": (".ras",),
    "XBM": (".xbm",),
    "XPM": (".xpm",),
    "TGA": (".tga",),  # last: it has no signature
}
"""The formats that are read, by Pillow's names, and the endings of their files. Those of documents are left out."""
SUFFIXES = tuple(suffix for suffixes in FORMATS.values() for suffix in suffixes)
EXPECTED = "an image file (.png, .jpg, .webp, .gif, .bmp, .tif or another that Pillow reads)"
_EXIF_ORIENTATION = 0x0112


class Header(NamedTuple):
    """Properties of an image that are read before its pixels are decoded."""

    height: int  # after EXIF orientation
    width: int
    gray: bool
    bits: int  # per channel, in the file
    mode: str  # Pillow's
    format: str  # a key of FORMATS
    animated: bool  # has more than one frame or page
    turned: bool  # is turned or mirrored by EXIF orientation


@dataclass(frozen=True)
class Form:
    """Size, channels and way of resizing that every image of a source is brought to."""

    size: tuple[int, int] | None  # (height, width); None: as stored
    channels: int  # 1 gray, 2 gray and alpha, 3 color, 4 color and alpha, more: of arrays; 0: as stored, but opaque
    resize: str  # one of RESIZES
    upscale: bool = True  # False: images smaller than `size` are refused
    range: tuple[float, float] | None = None  # values of black and white; None: of 16 bits 0 and 65535
    bits: int = 8  # per channel of the result, 8 or 16

    @property
    def dtype(self) -> np.dtype:
        """The type of the result."""
        return np.dtype(np.uint16 if self.bits == 16 else np.uint8)

    @property
    def text(self) -> str:
        """The form besides its shape, for the fingerprint of files that are not decoded."""
        return f"{self.resize} {self.range or ''}" + (" 16 bits" if self.bits == 16 else "")

    def refuse_smaller(self, height: int, width: int) -> None:
        """Refuse an image that would be enlarged against the user's wish. Raises: InputError."""
        if self.upscale or not self.size or self.resize == "frame":
            return
        ratios = self.size[0] / height, self.size[1] / width
        if (min if self.resize == "pad" else max)(ratios) > 1:
            raise InputError(
                f"is {height}x{width}, less than {self.size[0]}x{self.size[1]}, and enlarging adds nothing: set a "
                "smaller data.size, data.resize=frame for black around it, or data.upscale=True"
            )


MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
"""Pillow's modes by number of channels; those of other numbers are of arrays alone."""
AS_STORED = Form(None, 0, "crop")
"""Images as they are in their files."""


def form_of_config(config) -> Form:
    """The form that config.size, channels, resize, upscale, range and bits (True, none and 8 if missing) ask for.

    Raises: InputError for an invalid value.
    """
    if not (isinstance(config.channels, int) and config.channels >= 0):
        raise InputError(
            f"data.channels is {config.channels!r}: expected 0 (as stored), 1 (gray), 2 (gray and alpha), 3 (color), "
            "4 (color and alpha), or the number of an array's channels."
        )
    if config.resize not in RESIZES:
        raise InputError(
            f"data.resize {config.resize!r} is unknown{did_you_mean(str(config.resize), RESIZES)}: "
            f"choose from {', '.join(map(repr, RESIZES))}."
        )
    size = _parse_size(str(config.size).strip())
    limits = _parse_range(str(getattr(config, "range", "")).strip())
    bits = getattr(config, "bits", 8)
    if bits not in (8, 16):
        raise InputError(f"data.bits is {bits!r}: expected 8 or 16 per channel")
    return Form(size, int(config.channels), config.resize, getattr(config, "upscale", True), limits, bits)


def _parse_size(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    match = re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", text)
    size = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if min(size) < 1:
        raise InputError(
            f"data.size {text!r} is not a size: write 64 for 64x64, 64x48 for height x width, "
            "or leave it empty to keep images as they are."
        )
    return size


def _parse_range(text: str) -> tuple[float, float] | None:
    if not text:
        return None
    try:
        low, high = (float(number) for number in text.split(","))
    except ValueError:
        low = high = 0.0
    if not -np.inf < low < high < np.inf:
        raise InputError(
            f"data.range {text!r} is not a range: write the values that are black and white, as in data.range=0,4095"
        )
    return low, high


def read_header(image) -> Header:
    """The header of a PIL image that is not yet decoded."""
    height, width = image.size[::-1]
    orientation = orientation_of(image)
    if orientation >= 5:
        height, width = width, height
    mode = image.mode
    gray = mode in ("1", "L", "LA", "La", "F") or mode.startswith("I")
    bits = {"1": 1, "I": 32, "F": 32}.get(mode, 16 if _is_deep(image) else 8)
    format = "JPEG" if image.format == "MPO" else image.format
    animated = image.format != "MPO" and bool(getattr(image, "is_animated", False))
    return Header(height, width, gray, bits, mode, format, animated, orientation > 1)


def _is_deep(image) -> bool:
    """Whether the file has 16 bits per channel, also where Pillow reads the upper 8 alone, as of color."""
    decoder = str(image.tile[0][3]) if image.tile else ""
    return image.mode.startswith("I;16") or ";16" in decoder


def decode_pixels(image, form: Form, channels: int) -> np.ndarray:
    """The pixels of a PIL image, brought to the form's size and to 1 to 4 channels.

    EXIF orientation is applied, transparency is composited on white unless 2 or 4 channels keep it, gray of more than 8
    bits is rounded to 8 over form.range, and resizing is Lanczos with antialiasing, weighted by alpha. "crop" scales
    the shorter side and cuts the center, "squash" ignores the aspect ratio, "pad" fits the image into white, "frame"
    keeps its pixels and surrounds them with black; with alpha both are transparent.
    Shapes: -> uint8 [H, W, channels].
    Raises: InputError for an image that would be enlarged although form.upscale is False, or whose values have no
    known range.
    """
    orientation = orientation_of(image)
    if form.size:
        # A large JPEG is decoded at a half, quarter or eighth, never below twice the wanted size.
        image.draft(None, (2 * max(form.size),) * 2)
    image = _turn(_plain(image, channels, form.range), orientation)
    form.refuse_smaller(image.height, image.width)
    if form.size and image.size != form.size[::-1]:
        image = resized(image, *form.size, form.resize)
    x = np.asarray(image)
    return x[..., None] if channels == 1 else x


def stored_values(image) -> np.ndarray:
    """The values of a PIL image at its own size, opaque and after EXIF orientation; gray of more bits keeps its values.

    Shapes: -> uint8 [H, W, 3], or of gray with more than 8 bits real [H, W].
    Raises: InputError for values that are not finite.
    """
    orientation = orientation_of(image)
    if not is_deep_gray(image):
        return np.asarray(_turn(_plain(image, 3, None), orientation))
    return np.asarray(_turn(finite(image), orientation))


def form_text(stored: tuple[int | None, ...], shape: tuple[int, ...], form: Form) -> str:
    """How images of one size were brought to their shape, as in "28x28 to 64x64, crop"; "" if they were not.

    A stored side that depends on the image is None.
    """
    if not form.size or stored[:2] == shape[:2]:
        return ""
    size = "several sizes" if None in stored[:2] else f"{stored[0]}x{stored[1]}"
    return f"{size} to {shape[0]}x{shape[1]}, {form.resize}"


def conform(x: np.ndarray, form: Form) -> np.ndarray:
    """Decoded images brought to a form; the same array if they have it already.

    Channels other than gray and color are resized each by itself.
    Shapes: uint8 [N, H, W, C] -> [N, *form.size, form.channels].
    Raises: InputError for an image that would be enlarged against the user's wish, and for other channels.
    """
    stored = x.shape[-1]
    channels = form.channels or stored
    if form.size in (None, x.shape[1:3]) and channels == stored:
        return x
    if channels != stored and not {channels, stored} <= {1, 3}:
        raise InputError(f"Each image has {stored} channels, not {channels}: set data.channels={stored}, or 0")
    if stored not in (1, 3):
        planes = [conform(x[..., i : i + 1], replace(form, channels=1)) for i in range(stored)]
        return np.concatenate(planes, -1)
    from PIL import Image

    images = (Image.fromarray(image[..., 0] if stored == 1 else image) for image in x)
    try:
        return np.stack([decode_pixels(image, form, channels) for image in images])
    except InputError as error:
        raise InputError(f"Each image {error}") from None


def to_bytes(x: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """Values of a range as 0 to 255, rounded and clipped. Shapes: real [...] -> uint8 [...]."""
    low, high = limits
    return np.floor((np.float64(x) - low) * (255 / (high - low)) + 0.5).clip(0, 255).astype(np.uint8)


def orientation_of(image) -> int:
    """EXIF's orientation, 1 to 8; that of a broken or senseless one is 1."""
    try:
        # Only EXIF that stands before the pixels: asking a PNG for more would decode it.
        orientation = int(image.getexif().get(_EXIF_ORIENTATION, 1)) if "exif" in image.info else 1
    except Exception:  # a parser of damaged EXIF raises anything
        return 1
    return orientation if 1 <= orientation <= 8 else 1


def _turn(image, orientation: int):
    from PIL.Image import Transpose

    transpose = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }.get(orientation)
    return image if transpose is None else image.transpose(transpose)


def _plain(image, channels: int, limits: tuple[float, float] | None):
    """The image in eight bits, of the mode of 1 to 4 channels; opaque if that has no alpha."""
    from PIL import Image

    if is_deep_gray(image):  # PIL's own conversion clips instead of scaling
        deep = np.asarray(finite(image))
        image = Image.fromarray(to_bytes(deep, known_limits(image, deep, limits)))
    elif image.has_transparency_data and channels in (2, 4):
        image = image.convert("RGBA")
    elif image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image.convert("RGBA"))
        image = white.convert("RGB")
    return image.convert(MODES[channels])


def known_limits(image, deep: np.ndarray, limits: tuple[float, float] | None) -> tuple[float, float]:
    """The values of black and white of gray with more than 8 bits. Raises: InputError if they are not known."""
    if limits is None and (image.mode == "F" or deep.min() < 0 or deep.max() > 65535):
        raise InputError(
            f"has values from {deep.min():.6g} to {deep.max():.6g}: set data.range to those of black and white, as "
            "in data.range=0,1"
        )
    return limits or (0, 65535)


def is_deep_gray(image) -> bool:
    """Whether Pillow has more than 8 bits of an image."""
    return image.mode == "F" or image.mode.startswith("I")


def finite(image):
    """The image itself. Raises: InputError if it has values that are not finite."""
    if not np.isfinite(np.asarray(image)).all():
        raise InputError("has pixels that are NaN or infinite")
    return image


def resized(image, height: int, width: int, resize: str, around: str = ""):
    """A PIL image at a size, by one of RESIZES; `around` is the color of borders, "" that of the way.

    Raises: InputError for an image that is larger than its frame.
    """
    from PIL import Image

    def resample(size, box=None):
        return image.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)

    if resize == "frame":
        if image.width > width or image.height > height:
            raise InputError(f"is {image.height}x{image.width}, more than {height}x{width}; set data.resize")
        return _on_canvas(image, height, width, around or "black")
    if resize == "squash":
        return resample((width, height))
    ratios = width / image.width, height / image.height
    if resize == "crop":
        w, h = width / max(ratios), height / max(ratios)  # size of the crop in pixels of the original
        left, top = max(0, (image.width - w) / 2), max(0, (image.height - h) / 2)  # rounding may fall below 0
        return resample((width, height), (left, top, min(left + w, image.width), min(top + h, image.height)))
    inner = resample(tuple(max(1, round(side * min(ratios))) for side in image.size))
    return _on_canvas(inner, height, width, around or "white")


def _on_canvas(image, height: int, width: int, color: str):
    from PIL import Image

    canvas = Image.new(image.mode, (width, height), color)
    if image.mode in ("LA", "RGBA"):
        canvas.putalpha(0)
    canvas.paste(image, ((width - image.width) // 2, (height - image.height) // 2))
    return canvas
