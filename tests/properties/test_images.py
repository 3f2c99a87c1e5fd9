"""Files of images, whatever their damage, are read or refused in one line that names them, soon, in little memory."""

import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from fuzzing import damaged, property_of, result_or_line
from hypothesis import strategies as st
from PIL import Image

from genjax.data import open_source
from genjax.data.images import Form
from genjax.errors import InputError

RNG = np.random.default_rng(0)
COLOR = Image.fromarray(RNG.integers(0, 256, (6, 5, 3), np.uint8))
FORM = Form((4, 4), 0, "crop")


def encoded(image, format, **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def with_orientation():
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


FILES = {
    "png": [
        encoded(COLOR, "PNG"),
        encoded(COLOR.convert("P"), "PNG", transparency=3),
        encoded(COLOR.convert("RGBA"), "PNG", exif=with_orientation()),
        encoded(Image.fromarray(RNG.integers(0, 65536, (6, 5), np.uint16)), "PNG"),
        encoded(COLOR, "PNG", save_all=True, append_images=[COLOR.rotate(180)]),
    ],
    "jpg": [
        encoded(COLOR, "JPEG"),
        encoded(COLOR.convert("L"), "JPEG", progressive=True, exif=with_orientation()),
        encoded(COLOR.convert("CMYK"), "JPEG"),
    ],
    "webp": [encoded(COLOR, "WEBP"), encoded(COLOR.convert("RGBA"), "WEBP", lossless=True, exif=with_orientation())],
    "gif": [
        encoded(COLOR, "GIF"),
        encoded(COLOR.convert("P"), "GIF", save_all=True, append_images=[COLOR.rotate(180).convert("P")]),
    ],
    "bmp": [encoded(COLOR, "BMP"), encoded(COLOR.convert("P"), "BMP")],
    "tif": [
        encoded(COLOR, "TIFF"),
        encoded(COLOR.convert("L"), "TIFF", compression="tiff_lzw"),
        encoded(Image.fromarray(RNG.integers(0, 65536, (6, 5), np.uint16)), "TIFF"),
    ],
    "ppm": [encoded(COLOR, "PPM")],
    "tga": [encoded(COLOR, "TGA")],
    "ico": [encoded(COLOR, "ICO", sizes=[(5, 6)])],
    "jp2": [encoded(COLOR, "JPEG2000")],
    "pcx": [encoded(COLOR, "PCX")],
}
files = st.sampled_from(sorted(FILES)).flatmap(
    lambda suffix: st.tuples(st.just(suffix), st.one_of(*map(damaged, FILES[suffix]), st.binary(max_size=40)))
)


def read(folder):
    source = open_source(f"folder:{folder}", form=FORM)
    return source.read(np.arange(source.size))


@property_of(file=files)
def test_a_damaged_image_is_read_or_refused(folder, file):
    suffix, data = file
    for old in folder.glob("x.*"):
        old.unlink()
    (folder / f"x.{suffix}").write_bytes(data)
    x = result_or_line(lambda: read(folder))
    if x is not None:
        assert x.shape[:3] == (1, 4, 4)
        assert x.dtype == np.uint8


def test_undamaged_images_are_read(tmp_path):
    for suffix, contents in FILES.items():
        for i, data in enumerate(contents):
            (tmp_path / f"{i}.{suffix}").write_bytes(data)
    assert len(read(tmp_path)) == sum(map(len, FILES.values()))


def png(height, width, data):
    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "data",
    [
        png(60_000, 60_000, zlib.compress(bytes(1000))),
        png(2**31 - 1, 1, b""),
        b"P5 60000 60000 255\n",
        b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\x80\0\0" + bytes(20) + b";",
    ],
    ids=["png", "a png of one column", "pgm", "gif"],
)
def test_a_small_file_of_a_huge_image_is_refused(data, tmp_path):
    (tmp_path / "x.png").write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError, match=r"x\.png"):
            read(tmp_path)
