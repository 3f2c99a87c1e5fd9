"""Images of any channels and depth: what figures show of them, and files that hold them to the bit."""

import io

import numpy as np
import pytest
from PIL import Image

from genjax.cli.output import Destination
from genjax.report import contact_sheet, display, figures, gallery, interpolation, latents, neighbors, reconstructions

RNG = np.random.default_rng(0)
EIGHT = {c: RNG.integers(0, 256, (6, 5, 7, c), np.uint8) for c in (1, 2, 3, 4, 5)}
SIXTEEN = {c: RNG.integers(0, 65536, (6, 5, 7, c), np.uint16) for c in (1, 2, 3, 4)}


def unfiltered(data):
    """The values of a PNG of unfiltered rows, by its chunks."""
    import struct
    import zlib

    at, chunks = 8, {}
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        content = data[at + 8 : at + 8 + size]
        assert zlib.crc32(kind + content) == struct.unpack(">I", data[at + 8 + size : at + 12 + size])[0]
        chunks[kind] = content
        at += 12 + size
    width, height, bits, kind = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    channels = {0: 1, 4: 2, 2: 3, 6: 4}[kind]
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, -1)
    assert not rows[:, 0].any()
    values = rows[:, 1:].copy().view({8: "u1", 16: ">u2"}[bits])
    return values.reshape(height, width, channels)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_png_of_eight_bits_is_read_by_pillow_to_the_bit(channels):
    x = EIGHT[channels][0]
    image = Image.open(io.BytesIO(display.png(x)))
    image.load()
    assert image.mode == {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]
    np.testing.assert_array_equal(np.asarray(image).reshape(x.shape), x)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_png_of_sixteen_bits_holds_every_value(channels):
    x = SIXTEEN[channels][0]
    data = display.png(x)
    np.testing.assert_array_equal(unfiltered(data), x)
    image = Image.open(io.BytesIO(data))
    expected = x[..., 0] if channels == 1 else x >> 8  # of color Pillow has the upper bits
    read = np.asarray(image)
    np.testing.assert_array_equal(read[..., [0, 3]] if channels == 2 else read, expected)


def test_alpha_is_shown_over_white_and_more_channels_side_by_side():
    for channels in (2, 4):
        x = EIGHT[channels]
        share = x[..., -1:] / 255
        expected = share * x[..., :-1] + (1 - share) * 255
        np.testing.assert_allclose(display.shown(x), expected, atol=0.5 + 1e-9)
    x = EIGHT[5]
    wide = display.shown(x)
    assert wide.shape == (6, 5, 35, 1)
    for channel in range(5):
        np.testing.assert_array_equal(wide[..., 7 * channel : 7 * channel + 7, 0], x[..., channel])
    for channels in (1, 3):
        np.testing.assert_array_equal(display.shown(EIGHT[channels]), EIGHT[channels])


def test_sixteen_bits_are_shown_by_the_nearest_of_eight():
    x = np.arange(65536, dtype=np.uint16).reshape(1, 256, 256, 1)
    np.testing.assert_array_equal(display.shown(x), np.round(np.float64(x) * 255 / 65535))


@pytest.mark.parametrize("x", [EIGHT[2], EIGHT[4], EIGHT[5], SIXTEEN[3]])
def test_every_figure_takes_them(x):
    shown = display.shown(x)
    np.testing.assert_array_equal(figures.grid(x, pad=0, scale=1, columns=6), figures.grid(shown, 6, 0, 1))
    assert gallery.draw(x, classes=2, names=("a", "b")).width
    np.testing.assert_array_equal(reconstructions.draw(x, x), reconstructions.draw(shown, shown))
    np.testing.assert_array_equal(interpolation.rows(x[None], x[:1], x[1:2]).size[1] % 2, 0)
    assert interpolation.corners(x[:4].reshape(2, 2, *x.shape[1:]), x[:4]).width
    assert neighbors.draw(x, x, np.zeros((6, 2), int), np.ones((6, 2))).width
    assert latents.draw(RNG.normal(size=(6, 2)), None, (), x).width
    sheet = contact_sheet.draw("t", [contact_sheet.Row("", "", range(6))], lambda rows: x[rows], x.shape[1:])
    assert sheet.width


@pytest.mark.parametrize("x", [EIGHT[2], EIGHT[4], EIGHT[5], SIXTEEN[1], SIXTEEN[4]])
def test_a_folder_of_examples_holds_every_channel_and_bit(tmp_path, x):
    Destination.parse(f"{tmp_path}/out/").write(x, None, lambda: None)
    for i, file in enumerate(sorted((tmp_path / "out").iterdir())):
        if x.shape[3] > 4:
            assert file.name == f"{i:06d}.npy"
            np.testing.assert_array_equal(np.load(file), x[i])
        else:
            assert file.name == f"{i:06d}.png"
            np.testing.assert_array_equal(unfiltered(file.read_bytes()), x[i])
