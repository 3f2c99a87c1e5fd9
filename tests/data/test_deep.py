"""Sixteen bits per channel: every value of files and arrays, sizes, channels, and what is refused."""

import io
import struct
import zlib

import numpy as np
import pytest
from helpers import config_of
from PIL import Image

from genjax import data
from genjax.data import encoded
from genjax.data.deep import conform_deep, decode_deep
from genjax.data.images import Form, decode_pixels
from genjax.data.source import check
from genjax.errors import InputError
from genjax.report import display

RNG = np.random.default_rng(0)
X = {c: RNG.integers(0, 65536, (9, 7, c), np.uint16) for c in (1, 2, 3, 4)}
DEEP = Form(None, 0, "crop", bits=16)


def filtered(x, kind):
    """A PNG of 16 bits whose rows are filtered: 1 left, 2 above, 3 their mean, 4 Paeth's (PNG, section 9)."""
    height, width, channels = x.shape
    rows = np.ascontiguousarray(x.astype(">u2")).reshape(height, -1).view(np.uint8).astype(int)
    step = 2 * channels
    left = np.pad(rows, ((0, 0), (step, 0)))[:, :-step]
    above = np.pad(rows, ((1, 0), (0, 0)))[:-1]
    corner = np.pad(rows, ((1, 0), (step, 0)))[:-1, :-step]
    near = [abs(left + above - corner - other) for other in (left, above, corner)]
    paeth = np.where((near[0] <= near[1]) & (near[0] <= near[2]), left, np.where(near[1] <= near[2], above, corner))
    guess = {1: left, 2: above, 3: (left + above) // 2, 4: paeth}[kind]
    data = np.concatenate([np.full((height, 1), kind), (rows - guess) % 256], 1).astype(np.uint8)
    header = struct.pack(">IIBBBBB", width, height, 16, display.COLOR_TYPES[channels], 0, 0, 0)
    file = b"\x89PNG\r\n\x1a\n"
    for name, content in ((b"IHDR", header), (b"IDAT", zlib.compress(data.tobytes())), (b"IEND", b"")):
        file += struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
    return file


def tiff(x, order):
    """An uncompressed TIFF of one strip; `order` is "<" or ">"."""
    height, width, channels = x.shape
    pixels = x.astype(f"{order}u2").tobytes()
    extra = [(338, 3, 1, 2)] if channels == 4 else []  # unassociated alpha
    after = 8 + 2 + 12 * (10 + len(extra)) + 4
    tags = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, channels, after),
        (259, 3, 1, 1),
        (262, 3, 1, 2),
        (273, 4, 1, after + 2 * channels),
        (277, 3, 1, channels),
        (278, 4, 1, height),
        (279, 4, 1, len(pixels)),
        (284, 3, 1, 1),
        *extra,
    ]
    entries = b""
    for tag, kind, count, value in tags:
        small = kind == 3 and count == 1
        entries += struct.pack(f"{order}HHI", tag, kind, count)
        entries += struct.pack(f"{order}HH", value, 0) if small else struct.pack(f"{order}I", value)
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8)
    bits = struct.pack(f"{order}{channels}H", *[16] * channels)
    return head + struct.pack(f"{order}H", len(tags)) + entries + struct.pack(f"{order}I", 0) + bits + pixels


def decoded(data, channels, form=DEEP):
    return decode_deep(Image.open(io.BytesIO(data)), form, channels)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", [0, 1, 2, 3, 4])
def test_every_value_of_a_png_is_read(channels, kind):
    x = X[channels]
    np.testing.assert_array_equal(decoded(filtered(x, kind) if kind else display.png(x), channels), x)


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_value_of_a_tiff_is_read(channels, order):
    np.testing.assert_array_equal(decoded(tiff(X[channels], order), channels), X[channels])


@pytest.mark.parametrize("compression", ["raw", "tiff_deflate"])
def test_every_value_of_a_gray_tiff_is_read(tmp_path, compression):
    Image.fromarray(X[1][..., 0]).save(tmp_path / "x.tif", compression=compression)
    np.testing.assert_array_equal(decoded((tmp_path / "x.tif").read_bytes(), 1), X[1])


def test_a_folder_of_color_keeps_sixteen_bits(tmp_path, load, monkeypatch):
    images = RNG.integers(0, 65536, (4, 9, 7, 3), np.uint16)
    for i, x in enumerate(images):
        (tmp_path / f"{i}.png").write_bytes(display.png(x))
    for limit in (2**30, 0):
        monkeypatch.setattr(encoded, "MAX_IN_MEMORY", limit)
        source = load(f"folder:{tmp_path}", bits=16)
        check(source)
        assert (source.dtype, source.shape, source.nbytes) == (np.uint16, (9, 7, 3), images.nbytes)
        np.testing.assert_array_equal(source.read(np.arange(4)), images)
        assert not any("upper 8" in note for note in source.notes)
    eight = load(f"folder:{tmp_path}")
    np.testing.assert_array_equal(eight.read(np.arange(4)), images >> 8)
    assert any("data.bits=16 keeps them" in note for note in eight.notes)
    assert eight.fingerprint != source.fingerprint


def test_eight_bits_become_sixteen_and_a_note_says_so(tmp_path, load):
    x = RNG.integers(0, 256, (9, 7, 3), np.uint8)
    Image.fromarray(x).save(tmp_path / "x.png")
    source = load(f"folder:{tmp_path}", bits=16)
    np.testing.assert_array_equal(source.read(np.arange(1))[0], np.uint16(257) * x)
    assert any("no image has more than 8 bits" in note for note in source.notes)


def test_a_packaged_source_is_widened(load):
    eight, deep = load("shapes_16"), load("shapes_16", bits=16)
    check(deep)
    np.testing.assert_array_equal(deep.read(np.arange(3)), np.uint16(257) * eight.read(np.arange(3)))
    assert deep.fingerprint != eight.fingerprint


@pytest.mark.parametrize("suffix", ["npy", "npz", "h5"])
def test_arrays_of_sixteen_bits_are_kept(tmp_path, load, monkeypatch, suffix):
    x = RNG.integers(0, 65536, (5, 12, 16, 6), np.uint16)
    path = tmp_path / f"x.{suffix}"
    if suffix == "npy":
        np.save(path, x)
    elif suffix == "npz":
        np.savez(path, x=x)
    else:
        with pytest.importorskip("h5py").File(path, "w") as file:
            file["x"] = x
    for limit in (2**30, 0):
        monkeypatch.setattr(encoded, "MAX_IN_MEMORY", limit)
        source = load(f"array:{path}", bits=16)
        check(source)
        np.testing.assert_array_equal(source.read(np.arange(5)), x)


@pytest.mark.parametrize(
    ("stored", "limits", "expected"),
    [
        (np.float32([0, 0.5, 1]), "", [0, 32768, 65535]),
        (np.float64([-1, 0, 1]), "", [0, 32768, 65535]),
        (np.uint8([0, 1, 255]), "", [0, 257, 65535]),
        (np.uint16([0, 2048, 4095]), "0,4095", [0, 32776, 65535]),
        (np.int32([0, 4095, 5000]), "0,4095", [0, 65535, 65535]),
    ],
)
def test_values_of_a_range_are_scaled_to_sixteen_bits(tmp_path, load, stored, limits, expected):
    """round(65535 (v - low) / (high - low)), halves up."""
    np.save(tmp_path / "x.npy", stored[:, None, None, None] * np.ones((1, 4, 4, 1), stored.dtype))
    source = load(f"array:{tmp_path / 'x.npy'}", bits=16, range=limits)
    np.testing.assert_array_equal(source.read(np.arange(3))[:, 0, 0, 0], expected)


def test_gray_becomes_color_color_gray_and_alpha_white():
    np.testing.assert_array_equal(decoded(display.png(X[1]), 3), X[1].repeat(3, 2))
    gray = decoded(display.png(X[3]), 1)
    np.testing.assert_allclose(gray[..., 0], X[3] @ [0.299, 0.587, 0.114], atol=0.6)
    share = X[4][..., 3:] / 65535
    np.testing.assert_allclose(decoded(display.png(X[4]), 3), X[4][..., :3] * share + 65535 * (1 - share), atol=0.6)
    kept = decoded(display.png(X[3]), 4)
    np.testing.assert_array_equal(kept, np.concatenate([X[3], np.full((9, 7, 1), 65535)], 2))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_that_of_eight_bits(tmp_path, orientation):
    """An 8-bit JPEG, whose turn Pillow knows."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(RNG.integers(0, 256, (6, 4, 3), np.uint8)).save(tmp_path / "x.png", exif=exif)
    eight = decode_pixels(Image.open(tmp_path / "x.png"), Form(None, 0, "crop"), 3)
    with open(tmp_path / "x.png", "rb") as stream:
        np.testing.assert_array_equal(decode_deep(Image.open(stream), DEEP, 3), np.uint16(257) * eight)


@pytest.mark.parametrize("resize", ["crop", "squash", "pad"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sizes_are_those_of_eight_bits_without_their_rounding(resize, channels):
    """Pillow rounds twice, after each axis; of opaque alpha and smooth images."""
    y, x = np.mgrid[:24, :20] / 24
    image = np.uint8(127 + 100 * np.sin(3 * x[..., None] + 2 * y[..., None] + np.arange(channels)))
    if channels == 4:
        image[..., 3] = 255
    form = {"size": (10, 12), "channels": 0, "resize": resize}
    eight = decode_pixels(Image.fromarray(image[..., 0] if channels == 1 else image), Form(**form), channels)
    data = display.png(np.uint16(257) * image)
    deep = decoded(data, channels, Form(**form, bits=16))
    assert deep.shape == (10, 12, channels)
    opaque = eight[..., 3:] > 250 if channels == 4 else True
    np.testing.assert_allclose(np.where(opaque, deep / 257, 0), np.where(opaque, eight, 0), atol=1.1)
    assert (deep % 257 != 0).any()


def test_each_channel_of_an_array_is_resized_by_itself():
    x = RNG.integers(0, 65536, (2, 16, 12, 5), np.uint16)
    small = conform_deep(x, Form((8, 6), 0, "crop", bits=16))
    for channel in range(5):
        alone = conform_deep(x[..., channel : channel + 1], Form((8, 6), 0, "crop", bits=16))
        np.testing.assert_array_equal(small[..., channel : channel + 1], alone)


def test_what_is_refused(tmp_path, load):
    (tmp_path / "x.png").write_bytes(display.png(X[3]))
    with pytest.raises(InputError, match=r"data\.bits is 12: expected 8 or 16"):
        load(f"folder:{tmp_path}", bits=12)
    with pytest.raises(InputError, match="enlarging adds nothing"):
        load(f"folder:{tmp_path}", bits=16, size="64", upscale=False)
    data = display.png(X[3])
    header = 8 + 25  # the signature and IHDR
    mark = b"tRNS" + struct.pack(">3H", 1, 2, 3)
    chunk = struct.pack(">I", 6) + mark + struct.pack(">I", zlib.crc32(mark))
    with pytest.raises(InputError, match="transparent color beside 16 bits"):
        decoded(data[:header] + chunk + data[header:], 3)


def test_points_have_no_bits():
    with pytest.raises(InputError, match=r"data\.bits=16: ring8 has no images; leave it at 8"):
        data.load(config_of("gan", data__name="ring8", data__bits=16).data)
