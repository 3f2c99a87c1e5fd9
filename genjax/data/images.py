"""One image from a file to pixels: orientation, transparency, depth, size and channels."""

import re
from dataclasses import dataclass

import numpy as np

from genjax.errors import InputError, did_you_mean

RESIZES = ("crop", "squash", "pad", "frame")
_GRAY = ("1", "L", "LA", "La", "I", "I;16", "I;16L", "I;16B", "I;16N")
_EXIF_ORIENTATION = 0x0112


@dataclass(frozen=True)
class Form:
    """What the user asked every image to become."""

    size: tuple[int, int] | None  # (height, width); None: as found
    channels: int  # 0: as found
    resize: str
    upscale: bool = True

    def refuse_smaller(self, height: int, width: int) -> None:
        """Raise InputError for an image that would have to be enlarged, where that is not wanted."""
        if self.upscale or not self.size or self.resize == "frame":
            return
        ratios = self.size[0] / height, self.size[1] / width
        if (min if self.resize == "pad" else max)(ratios) > 1:
            raise InputError(
                f"is {height}x{width}, less than {self.size[0]}x{self.size[1]}, and enlarging adds nothing: set a "
                "smaller data.size, data.resize=frame for black around it, or data.upscale=True"
            )


def form(config) -> Form:
    """The form from config.size, config.channels, config.resize and config.upscale (where it is missing: True).

    Raises: InputError for a value that means nothing.
    """
    size, text = None, str(config.size).strip()
    if text:
        match = re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", text)
        if match:
            size = int(match[1]), int(match[2] or match[1])
        if not size or min(size) < 1:
            raise InputError(
                f"data.size {text!r} is not a size: write 64 for 64x64, 64x48 for height x width, "
                "or leave it empty to keep images as they are."
            )
    if config.channels not in (0, 1, 3):
        raise InputError(f"data.channels is {config.channels!r}: expected 0 (as found), 1 (gray) or 3 (color).")
    if config.resize not in RESIZES:
        raise InputError(
            f"data.resize {config.resize!r} is unknown{did_you_mean(str(config.resize), RESIZES)}. "
            "Expected 'crop', 'squash', 'pad' or 'frame'."
        )
    return Form(size, int(config.channels), config.resize, getattr(config, "upscale", True))


def header(image) -> tuple[int, int, bool]:
    """Height, width (both as seen, after orientation) and whether it is gray, of a PIL image not yet decoded."""
    width, height = image.size
    turned = _orientation(image) >= 5
    return (width, height, image.mode in _GRAY) if turned else (height, width, image.mode in _GRAY)


def pixels(image, form: Form, channels: int) -> np.ndarray:
    """The image as the user asked for it.

    EXIF orientation is honoured, transparency composited on white, 16-bit gray rounded to 8 bits, and scaling is
    Lanczos with antialiasing. "crop" scales the shorter side and cuts the center, "squash" ignores the aspect ratio,
    "pad" fits the whole image on white, "frame" leaves its pixels as they are and has black around them.

    Shapes: uint8 [H, W, channels].
    """
    orientation = _orientation(image)
    if form.size:
        # A large JPEG is decoded at a half, quarter or eighth, never below twice what is wanted.
        image.draft(None, (2 * max(form.size),) * 2)
    image = _turn(_plain(image, channels), orientation)
    form.refuse_smaller(image.height, image.width)
    if form.size and image.size != form.size[::-1]:
        image = _scale(image, *form.size, form.resize)
    x = np.asarray(image)
    return x[..., None] if channels == 1 else x


def conform(x: np.ndarray, form: Form) -> np.ndarray:
    """Images [N, H, W, C] already decoded, brought to the form; the same array if it is the form already."""
    channels = form.channels or x.shape[-1]
    if form.size in (None, x.shape[1:3]) and channels == x.shape[-1]:
        return x
    from PIL import Image

    images = (Image.fromarray(image[..., 0] if x.shape[-1] == 1 else image) for image in x)
    try:
        return np.stack([pixels(image, form, channels) for image in images])
    except InputError as error:
        raise InputError(f"Each image {error}") from None


def _orientation(image) -> int:
    # Only EXIF that stands before the pixels: asking a PNG for more would decode it.
    return int(image.getexif().get(_EXIF_ORIENTATION, 1)) if "exif" in image.info else 1


def _turn(image, orientation: int):
    from PIL.Image import Transpose

    how = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }.get(orientation)
    return image if how is None else image.transpose(how)


def _plain(image, channels: int):
    """Eight bits, opaque, gray or RGB."""
    from PIL import Image

    if image.mode.startswith("I"):  # PIL's own conversion clips 16 bits instead of scaling them
        deep = np.asarray(image).astype(np.int64).clip(0, 65535)
        image = Image.fromarray(((deep * 255 + 32767) // 65535).astype(np.uint8))
    elif image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image.convert("RGBA"))
        image = white.convert("RGB")
    return image.convert("L" if channels == 1 else "RGB")


def _scale(image, height: int, width: int, how: str):
    from PIL import Image

    def resample(size, box=None):
        return image.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)

    if how == "frame":
        if image.width > width or image.height > height:
            raise InputError(f"is {image.height}x{image.width}, more than {height}x{width}; set data.resize")
        return _on_canvas(image, height, width, "black")
    if how == "squash":
        return resample((width, height))
    ratios = width / image.width, height / image.height
    if how == "crop":
        w, h = width / max(ratios), height / max(ratios)  # of the part that stays, in the original's pixels
        left, top = (image.width - w) / 2, (image.height - h) / 2
        return resample((width, height), (left, top, min(left + w, image.width), min(top + h, image.height)))
    inner = resample(tuple(max(1, round(side * min(ratios))) for side in image.size))
    return _on_canvas(inner, height, width, "white")


def _on_canvas(image, height: int, width: int, color: str):
    from PIL import Image

    canvas = Image.new(image.mode, (width, height), color)
    canvas.paste(image, ((width - image.width) // 2, (height - image.height) // 2))
    return canvas
