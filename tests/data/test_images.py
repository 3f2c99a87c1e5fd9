from contextlib import nullcontext

import numpy as np
import pytest
from PIL import Image

from genjax.data.images import AS_STORED, Form, conform, decode_pixels, read_header
from genjax.errors import InputError


def reopened(image, path, **options):
    image.save(path, **options)
    return Image.open(path)


def noise(height, width, channels=3):
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), np.uint8)


# What the corner of an image is after the turn that EXIF 2 .. 8 asks for (Exif 2.32, 4.6.4, tag 0x0112).
TURNS = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: np.rot90(x, -1),
    7: lambda x: np.rot90(x, 2).swapaxes(0, 1),
    8: lambda x: np.rot90(x, 1),
}


@pytest.mark.parametrize("orientation", TURNS)
def test_exif_orientation(tmp_path, orientation):
    x, exif = noise(4, 6), Image.Exif()
    exif[0x0112] = orientation
    image = reopened(Image.fromarray(x), tmp_path / "a.png", exif=exif)
    expected = TURNS[orientation](x)
    assert read_header(image)[:2] == expected.shape[:2]
    np.testing.assert_array_equal(decode_pixels(image, AS_STORED, 3), expected)


def test_transparency_becomes_white(tmp_path):
    rgba = noise(5, 5, 4)
    rgba[0, 0] = (10, 20, 30, 0)
    rgba[0, 1] = (10, 20, 30, 255)
    rgba[0, 2] = (0, 100, 255, 128)
    x = decode_pixels(reopened(Image.fromarray(rgba), tmp_path / "a.png"), AS_STORED, 3)
    assert x[0, 0].tolist() == [255, 255, 255]
    assert x[0, 1].tolist() == [10, 20, 30]
    alpha = rgba[..., 3:] / 255
    assert np.abs(x - (rgba[..., :3] * alpha + 255 * (1 - alpha))).max() <= 1  # rounding


def test_transparent_gray_and_palette(tmp_path):
    la = np.array([[[0, 0], [7, 255]]], np.uint8)
    image = reopened(Image.fromarray(la), tmp_path / "la.png")
    assert read_header(image)[:4] == (1, 2, True, 8)
    np.testing.assert_array_equal(decode_pixels(image, AS_STORED, 1)[0, :, 0], [255, 7])
    palette = Image.new("P", (2, 1))
    palette.putpalette([9, 8, 7, 1, 2, 3])
    palette.putpixel((1, 0), 1)
    image = reopened(palette, tmp_path / "p.png", transparency=0)
    np.testing.assert_array_equal(decode_pixels(image, AS_STORED, 3)[0], [[255, 255, 255], [1, 2, 3]])


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path):
    deep = np.array([[0, 128, 129, 257, 32768, 65535]], np.uint16)
    image = reopened(Image.fromarray(deep), tmp_path / "a.png")
    assert read_header(image)[:4] == (1, 6, True, 16)
    np.testing.assert_array_equal(decode_pixels(image, AS_STORED, 1)[0, :, 0], np.round(deep[0] / 257))


def test_cmyk_and_one_bit(tmp_path):
    image = reopened(Image.new("CMYK", (8, 8), (0, 0, 0, 0)), tmp_path / "a.jpg")
    assert decode_pixels(image, AS_STORED, 3).min() > 250
    image = reopened(Image.new("1", (2, 2), 1), tmp_path / "b.png")
    assert (decode_pixels(image, AS_STORED, 1) == 255).all()


def three_bands(height, width):
    """Red, green and blue thirds along the longer side."""
    x = np.zeros((height, width, 3), np.uint8)
    for band, part in enumerate(np.array_split(np.arange(max(height, width)), 3)):
        x[(part, slice(None)) if height > width else (slice(None), part)] = np.eye(3, dtype=np.uint8)[band] * 255
    return Image.fromarray(x)


@pytest.mark.parametrize("shape", [(30, 90), (90, 30)])
def test_crop_keeps_the_center(shape):
    x = decode_pixels(three_bands(*shape), Form((10, 10), 3, "crop"), 3)
    assert x.shape == (10, 10, 3)
    assert np.abs(x[2:-2, 2:-2] - [0, 255, 0]).max() < 8  # Lanczos rings a little beyond the cut


def test_squash_keeps_everything():
    x = decode_pixels(three_bands(30, 90), Form((12, 12), 3, "squash"), 3)
    assert [x[6, column].argmax() for column in (1, 6, 10)] == [0, 1, 2]


@pytest.mark.parametrize(("shape", "inside"), [((30, 90), np.s_[4:8]), ((90, 30), np.s_[:, 4:8])])
def test_pad_is_white_around_the_whole_image(shape, inside):
    x = decode_pixels(three_bands(*shape), Form((12, 12), 3, "pad"), 3)
    padding = np.ones((12, 12), bool)
    padding[inside] = False
    assert (x[padding] == 255).all()
    assert not (x[inside] == 255).all(-1).any()


def test_sizes_are_height_by_width_and_a_fitting_image_is_untouched():
    image = Image.fromarray(noise(20, 10))
    assert decode_pixels(image, Form((8, 6), 3, "crop"), 3).shape == (8, 6, 3)
    for how in ("crop", "squash", "pad"):
        np.testing.assert_array_equal(decode_pixels(image, Form((20, 10), 3, how), 3), noise(20, 10))


def test_reduction_is_antialiased():
    checks = np.indices((64, 64)).sum(0) % 2 * 255
    x = decode_pixels(Image.fromarray(checks.astype(np.uint8)), Form((8, 8), 1, "crop"), 1)
    assert np.abs(x.astype(int) - 127.5).max() < 3


def test_a_large_jpeg_keeps_its_image(tmp_path):
    path = tmp_path / "a.jpg"
    image = reopened(three_bands(300, 900), path, quality=95)
    x = decode_pixels(image, Form((12, 36), 3, "crop"), 3)
    converted = Image.open(path).convert("RGB")  # decoded at full size
    full = decode_pixels(converted, Form((12, 36), 3, "crop"), 3)
    assert np.abs(x.astype(int) - full).max() < 12


def test_a_frame_leaves_the_pixels_as_they_are(tmp_path):
    x = noise(5, 7)
    image = reopened(Image.fromarray(x), tmp_path / "a.png")
    framed = decode_pixels(image, Form((8, 12), 0, "frame", upscale=False), 3)
    np.testing.assert_array_equal(framed[1:6, 2:9], x)
    assert framed.sum() == x.sum()


def test_an_image_that_is_larger_than_its_frame_is_refused(tmp_path):
    with pytest.raises(InputError, match="is 9x4, more than 8x8"):
        decode_pixels(reopened(Image.fromarray(noise(9, 4)), tmp_path / "a.png"), Form((8, 8), 0, "frame"), 3)
    with pytest.raises(InputError, match="Each image is 9x4, more than 8x8"):
        conform(noise(9, 4)[None], Form((8, 8), 0, "frame"))


@pytest.mark.parametrize(
    ("resize", "size", "refused"),
    [
        ("crop", (8, 4), False),
        ("crop", (9, 4), True),  # the shorter side is to be filled: one of both would be enlarged
        ("squash", (4, 7), True),
        ("pad", (9, 4), False),  # the width of 4 has it shrunk
        ("pad", (9, 7), True),
        ("frame", (20, 20), False),
    ],
)
def test_enlarging_has_to_be_asked_for(resize, size, refused):
    x = noise(8, 6)[None]
    assert conform(x, Form(size, 0, resize)).shape == (1, *size, 3)
    expected = pytest.raises(InputError, match=rf"is 8x6, less than {size[0]}x{size[1]}.*data.upscale=True")
    with expected if refused else nullcontext():
        conform(x, Form(size, 0, resize, upscale=False))


@pytest.mark.parametrize("width", range(98, 128))
def test_a_crop_of_the_full_width_stays_inside_the_image(width):
    """64 / (64 / 98) is more than 98 in floating point."""
    image = Image.fromarray(noise(width + 3, width))
    assert decode_pixels(image, Form((64, 64), 3, "crop"), 3).shape == (64, 64, 3)
