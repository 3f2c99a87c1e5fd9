import json
import os
import struct
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from ml_collections import ConfigDict
from PIL import Image

from genjax import data
from genjax.data import encoded
from genjax.errors import InputError


def noise(height, width, channels=3, seed=0):
    x = np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)
    return Image.fromarray(x.squeeze())


def save(path, image, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)
    return path


@pytest.fixture(params=["in memory", "streamed"])
def way(request, monkeypatch):
    if request.param == "streamed":
        monkeypatch.setattr(encoded, "MAX_IN_MEMORY", 0)
    return request.param


def test_finds_images_of_every_kind_in_the_order_of_names(tmp_path, load):
    files = ["b.JPG", "a.png", "sub/deep/c.jpeg", "d.WebP"]
    for seed, name in enumerate(files):
        save(tmp_path / name, noise(6, 8, seed=seed), **({"lossless": True} if "W" in name else {}))
    for ignored in (".hidden.png", ".cache/x.png", "notes.txt"):
        (tmp_path / ignored).parent.mkdir(exist_ok=True)
        (tmp_path / ignored).write_bytes(b"not an image")
    source = load(f"folder:{tmp_path}")
    assert (source.size, source.shape, source.labels, source.label_names) == (4, (6, 8, 3), None, ())
    x = source.read(np.arange(4))
    np.testing.assert_array_equal(x[0], np.asarray(noise(6, 8, seed=1)))
    np.testing.assert_array_equal(x[2], np.asarray(noise(6, 8, seed=3)))


WRITTEN = {
    "png",
    "jpg",
    "jfif",
    "webp",
    "gif",
    "bmp",
    "dib",
    "tif",
    "tiff",
    "ppm",
    "tga",
    "jp2",
    "pcx",
    "sgi",
    "ico",
    "dds",
}


@pytest.mark.parametrize("suffix", sorted(WRITTEN))
def test_every_format_that_pillow_reads_is_read(tmp_path, load, way, suffix):
    image = noise(32, 32)
    image = image.convert("P") if suffix == "gif" else image
    path = save(tmp_path / f"a.{suffix}", image, **({"format": "JPEG"} if suffix == "jfif" else {}))
    with Image.open(path) as stored:
        expected = np.asarray(stored.convert("RGB"))
    source = load(f"folder:{tmp_path}", channels=3)
    np.testing.assert_array_equal(source.read(np.array([0]))[0], expected)
    assert source.notes == ()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    with pytest.raises(InputError, match=rf"An image cannot be used: .*a\.{suffix} \("):
        load(f"folder:{tmp_path}")


def test_names_are_those_of_the_files(tmp_path, load, way):
    for index in range(8):
        save(tmp_path / "ab"[index % 2] / f"{index}.png", Image.new("L", (2, 2), index))
    source = load(f"folder:{tmp_path}", "train[2:]")
    values = source.read(np.arange(6))[:, 0, 0, 0]
    assert source.names == [f"{'ab'[value % 2]}/{value}.png" for value in values]


def test_of_an_animation_the_first_frame_is_used_and_it_is_said(tmp_path, load, way):
    frames = [Image.new("RGB", (4, 4), (10 * i, 0, 0)) for i in range(3)]
    save(tmp_path / "a.webp", frames[1], save_all=True, append_images=frames[2:], lossless=True)
    save(tmp_path / "b.png", frames[2])
    source = load(f"folder:{tmp_path}")
    assert source.read(np.arange(2))[:, 0, 0, 0].tolist() == [10, 20]
    assert source.notes == ("a.webp has several frames or pages, of which the first is used",)


def exif(kind, count, value):
    """EXIF of one orientation tag, by hand."""
    return b"Exif\0\0II*\0" + struct.pack("<IHHHI4sI", 8, 1, 0x0112, kind, count, value, 0)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "data",
    [
        exif(3, 1, b"\0\0\0\0"),
        exif(3, 1, b"\x09\0\0\0"),
        exif(2, 4, b"abc\0"),
        exif(5, 1, b"\xff\xff\xff\x7f"),
        exif(99, 1, b"\x06\0\0\0"),
        b"Exif\0\0II*\0\xff\xff\xff\x7f",
    ],
)
def test_a_senseless_orientation_is_none(tmp_path, load, way, data):
    save(tmp_path / "a.jpg", noise(8, 16), exif=data)
    assert load(f"folder:{tmp_path}").shape == (8, 16, 3)
    save(tmp_path / "a.jpg", noise(8, 16), exif=exif(3, 1, b"\x06\0\0\0"))
    assert load(f"folder:{tmp_path}").shape == (16, 8, 3)


def test_bytes_after_the_end_do_no_harm_and_an_empty_file_is_called_so(tmp_path, load, way):
    save(tmp_path / "a.png", noise(8, 8))
    x = load(f"folder:{tmp_path}").read(np.array([0]))
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes() + bytes(5000))
    np.testing.assert_array_equal(load(f"folder:{tmp_path}").read(np.array([0])), x)
    (tmp_path / "b.png").touch()
    with pytest.raises(InputError, match=r"b\.png \(no contents\)"):
        load(f"folder:{tmp_path}")


def test_a_range_of_images_that_have_none_is_said(tmp_path, load):
    save(tmp_path / "a.png", noise(8, 8))
    (note,) = load(f"folder:{tmp_path}", range="0,4095").notes
    assert note == "data.range is for gray of more than 8 bits, of which there is none"


def test_deep_gray_is_said_and_scaled_on_request(tmp_path, load, way):
    deep = np.array([[0, 2048, 4095]], np.uint16)
    save(tmp_path / "a.png", Image.fromarray(deep))
    source = load(f"folder:{tmp_path}")
    assert source.read(np.array([0])).ravel().tolist() == [0, 8, 16]
    (note,) = source.notes
    assert note.endswith("the largest value seen is 4,095: data.range=0,4095 makes that white")
    source = load(f"folder:{tmp_path}", range="0,4095")
    assert source.read(np.array([0])).ravel().tolist() == [0, 128, 255]
    assert (source.notes, source.form) == ((), "values of 0 to 4095 as 0 to 255")


def test_floating_point_needs_a_range(tmp_path, load, way):
    save(tmp_path / "a.tif", Image.fromarray(np.array([[0, 0.5, 1]], np.float32)))
    with pytest.raises(InputError, match=r"a\.tif \(has values from 0 to 1: set data\.range"):
        load(f"folder:{tmp_path}").read(np.array([0]))
    assert load(f"folder:{tmp_path}", range="0,1").read(np.array([0])).ravel().tolist() == [0, 128, 255]


def test_sizes_are_in_the_form(tmp_path, load, way):
    for side in (8, 10, 12):
        save(tmp_path / f"{side}.png", noise(side, side))
    assert load(f"folder:{tmp_path}", size="8").form == "3 sizes from 8x8 to 12x12, to 8x8, crop"
    assert load(f"image:{tmp_path}/8.png").form == ""
    assert load(f"image:{tmp_path}/8.png", size="16", resize="frame").form == "8x8 to 16x16, frame"


def test_broken_images_are_left_out_on_request(tmp_path, load, way):
    for index in range(9):
        path = save(tmp_path / "ab"[index % 2] / f"{index}.png", Image.new("L", (2, 2), index))
        if index in (3, 4):
            path.write_bytes(path.read_bytes()[:-20])
    whole = load(f"folder:{tmp_path}", "train[:50%]", skip_broken=True)
    assert whole.size == 4
    assert sorted(whole.skipped) == ["a/4.png", "b/3.png"]
    account, reasons = whole.notes
    assert account == "used 7; left out 2: broken 2"
    assert reasons in (
        "broken: a/4.png (incomplete file), b/3.png (incomplete file)",
        "broken: b/3.png (incomplete file), a/4.png (incomplete file)",
    )
    rows = load(f"folder:{tmp_path}", skip_broken=True)
    values = rows.read(np.arange(7))[:, 0, 0, 0]
    assert sorted(values) == [0, 1, 2, 5, 6, 7, 8]
    np.testing.assert_array_equal(rows.labels, values % 2)
    for index in range(9):
        (tmp_path / "ab"[index % 2] / f"{index}.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"all 9 images are broken: .* and 6 more"):
        load(f"folder:{tmp_path}", skip_broken=True)


def test_a_zip_holds_the_same_as_its_folder(tmp_path, load, way):
    for index in range(6):
        save(tmp_path / "x" / "ab"[index % 2] / f"{index}.png", noise(4, 4, seed=index))
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for path in (tmp_path / "x").rglob("*.png"):
            archive.write(path, path.relative_to(tmp_path / "x"))
    folder, packed = load(f"folder:{tmp_path}/x"), load(str(tmp_path / "x.zip"))
    np.testing.assert_array_equal(packed.read(np.arange(6)), folder.read(np.arange(6)))
    assert (packed.names, packed.label_names) == (folder.names, folder.label_names)
    assert packed.fingerprint == folder.fingerprint


def test_equal_sizes_with_other_pixels_have_another_fingerprint(tmp_path, load, way):
    save(tmp_path / "a.bmp", noise(4, 4))
    before, size = load(f"folder:{tmp_path}").fingerprint, (tmp_path / "a.bmp").stat().st_size
    changed = np.array(noise(4, 4))
    changed[3, 3, 2] ^= 1
    save(tmp_path / "a.bmp", Image.fromarray(changed))
    assert (tmp_path / "a.bmp").stat().st_size == size
    assert load(f"folder:{tmp_path}").fingerprint != before


def test_labels_of_a_table_follow_the_images(tmp_path, load, way):
    rows = [[f"{index}.png", index % 3] for index in range(9)]
    for index in range(9):
        save(tmp_path / f"{index}.png", Image.new("L", (2, 2), index))
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": rows}))
    source = load(f"folder:{tmp_path}", "train[3:]")
    np.testing.assert_array_equal(source.labels, source.read(np.arange(6))[:, 0, 0, 0] % 3)
    assert source.notes == ("labels are from dataset.json",)


def test_streamed_equals_in_memory(tmp_path, load, monkeypatch):
    for index in range(7):
        suffix = (".png", ".jpg", ".webp")[index % 3]
        save(tmp_path / f"class{index % 2}" / f"{index}{suffix}", noise(40 + index, 50, seed=index))
    arguments = {"name": f"folder:{tmp_path}", "split": "train[1:]", "size": "16x12", "resize": "pad"}
    held = load(**arguments)
    monkeypatch.setattr(encoded, "MAX_IN_MEMORY", 0)
    streamed = load(**arguments)
    indices = np.array([5, 0, 3, 3])
    np.testing.assert_array_equal(held.read(indices), streamed.read(indices))
    np.testing.assert_array_equal(held.labels, streamed.labels)
    for field in ("name", "split", "size", "shape", "dtype", "label_names", "nbytes"):
        assert getattr(held, field) == getattr(streamed, field)
    assert held.fingerprint != streamed.fingerprint == load(**arguments).fingerprint


def test_sub_folders_are_classes_and_a_slice_holds_them_all(tmp_path, load):
    for index in range(40):
        save(tmp_path / "abc"[index % 3] / "x" / f"{index:02}.png", Image.new("L", (2, 2), index))
    source = load(f"folder:{tmp_path}")
    assert source.label_names == ("a", "b", "c")
    values = source.read(np.arange(40))[:, 0, 0, 0].astype(int)
    np.testing.assert_array_equal(source.labels, values % 3)
    assert sorted(values) == list(range(40))
    assert set(load(f"folder:{tmp_path}", "train[75%:]").labels) == {0, 1, 2}


def test_one_image_outside_of_the_classes_means_no_classes(tmp_path, load):
    save(tmp_path / "a" / "1.png", noise(2, 2))
    save(tmp_path / "2.png", noise(2, 2))
    assert load(f"folder:{tmp_path}").labels is None


def test_gray_only_if_all_are_gray(tmp_path, load, way):
    save(tmp_path / "1.png", noise(4, 4, 1))
    save(tmp_path / "2.png", noise(4, 4, 2))
    assert load(f"folder:{tmp_path}").shape == (4, 4, 1)
    assert load(f"folder:{tmp_path}", channels=3).shape == (4, 4, 3)
    save(tmp_path / "3.png", noise(4, 4, 3))
    assert load(f"folder:{tmp_path}", "train[:1]").shape == (4, 4, 3)
    assert load(f"folder:{tmp_path}", channels=1).read(np.arange(3)).shape == (3, 4, 4, 1)


def test_sizes_are_those_after_orientation(tmp_path, load, way):
    exif = Image.Exif()
    exif[0x0112] = 6
    save(tmp_path / "1.jpg", noise(8, 16), exif=exif)
    save(tmp_path / "2.jpg", noise(16, 8))
    assert load(f"folder:{tmp_path}").read(np.arange(2)).shape == (2, 16, 8, 3)


def test_different_sizes_need_a_size(tmp_path, load):
    save(tmp_path / "1.png", noise(4, 4))
    save(tmp_path / "2.png", noise(4, 6))
    with pytest.raises(InputError, match=r"1\.png is 4x4, .*2\.png is 4x6 .* Set data\.size"):
        load(f"folder:{tmp_path}")
    assert load(f"folder:{tmp_path}", size="8").shape == (8, 8, 3)


def test_images_that_would_be_enlarged_are_named(tmp_path, way):
    save(tmp_path / "large.png", noise(16, 16))
    save(tmp_path / "small.png", noise(6, 6))
    asked = {"name": f"folder:{tmp_path}", "split": "train", "size": "8", "channels": 0, "resize": "crop", "dir": ""}
    with pytest.raises(InputError, match=r"An image cannot be used: .*small\.png \(is 6x6, less than 8x8") as found:
        data.load(ConfigDict(asked | {"upscale": False}))
    assert "large.png" not in str(found.value)
    assert data.load(ConfigDict(asked | {"upscale": True})).shape == (8, 8, 3)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_a_truncated_image_is_named_before_training(tmp_path, load, way, suffix, kept):
    for name in "ab":
        save(tmp_path / f"{name}.{suffix}", noise(64, 64))
    broken = tmp_path / f"b.{suffix}"
    whole = broken.read_bytes()
    broken.write_bytes(whole[: min(int(len(whole) * kept), len(whole) - 1)])
    with pytest.raises(InputError, match=rf"An image cannot be used: .*b\.{suffix} \("):
        load(f"folder:{tmp_path}", size="8")


def test_a_truncated_jpeg_with_a_thumbnail_is_named(tmp_path, load, way):
    thumbnail = save(tmp_path / "t.jpg", noise(8, 8)).read_bytes()
    path = save(tmp_path / "t.jpg", noise(64, 64), exif=b"Exif\0\0" + thumbnail)
    assert load(f"folder:{tmp_path}").size == 1
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(InputError, match=r"t\.jpg"):
        load(f"folder:{tmp_path}")


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_bytes_after_the_end_are_allowed(tmp_path, load, way, suffix):
    path = save(tmp_path / f"a.{suffix}", noise(32, 32))
    path.write_bytes(path.read_bytes() + b"appended by a phone")
    assert load(f"folder:{tmp_path}").read(np.array([0])).shape == (1, 32, 32, 3)


def test_damage_inside_is_found_at_once_in_memory_and_when_read_if_streamed(tmp_path, load, way):
    path = save(tmp_path / "a.png", noise(64, 64))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"a\.png"):
        load(f"folder:{tmp_path}").read(np.array([0]))


def test_an_image_that_vanishes_is_named(tmp_path, load, monkeypatch):
    monkeypatch.setattr(encoded, "MAX_IN_MEMORY", 0)
    path = save(tmp_path / "a.png", noise(4, 4))
    source = load(f"folder:{tmp_path}")
    path.unlink()
    with pytest.raises(InputError, match=r"a\.png \(No such file"):
        source.read(np.array([0]))


def test_all_broken_images_are_counted(tmp_path, load):
    save(tmp_path / "ok.png", noise(4, 4))
    for index in range(5):
        (tmp_path / f"{index}.png").write_bytes(b"GIF89a")
    with pytest.raises(InputError, match=r"5 images .*0\.png \(not an image that Pillow reads\).*2\.png.* 2 more"):
        load(f"folder:{tmp_path}")


def test_wrong_folders(tmp_path, load):
    with pytest.raises(InputError, match=r"nowhere does not exist"):
        load(f"folder:{tmp_path}/nowhere")
    with pytest.raises(InputError, match=r"is empty"):
        load(f"folder:{tmp_path}")
    file = tmp_path / "notes.txt"
    file.write_text("text")
    with pytest.raises(InputError, match=r"is a file"):
        load(f"folder:{file}")
    with pytest.raises(InputError, match=r"has no image among 1: \.txt 1\. Expected .*\.png, \.jpg"):
        load(f"folder:{tmp_path}")
    save(tmp_path / "a.png", noise(4, 4))
    with pytest.raises(InputError, match=r"no split 'test'.*train"):
        load(f"folder:{tmp_path}", "test")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_unreadable(tmp_path, load):
    path = save(tmp_path / "sub" / "a.png", noise(4, 4))
    path.chmod(0)
    with pytest.raises(InputError, match=r"a\.png \(Permission denied\)"):
        load(f"folder:{tmp_path}")
    path.parent.chmod(0)
    with pytest.raises(InputError, match=r"sub cannot be read \(Permission denied\)"):
        load(f"folder:{tmp_path}")
    path.parent.chmod(0o755)


def test_an_unreadable_folder_is_named(tmp_path, load, monkeypatch):
    def scandir(folder):
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(InputError, match=r"cannot be read .Permission denied.: change its permissions"):
        load(f"folder:{tmp_path}")


def test_the_fingerprint_changes_with_the_images(tmp_path, load, way):
    path = save(tmp_path / "a.png", noise(4, 4))
    before = load(f"folder:{tmp_path}").fingerprint
    save(path, noise(4, 4, 1), optimize=True)
    assert load(f"folder:{tmp_path}", channels=3).fingerprint != before


def test_reading_from_several_threads(tmp_path, load, monkeypatch):
    for index in range(12):
        save(tmp_path / f"{index:02}.png", Image.new("L", (3, 3), index))
    monkeypatch.setattr(encoded, "MAX_IN_MEMORY", 0)
    source = load(f"folder:{tmp_path}")
    wanted = [np.random.default_rng(seed).integers(0, 12, 20) for seed in range(16)]
    with ThreadPoolExecutor(8) as threads:
        for indices, x in zip(wanted, threads.map(source.read, wanted), strict=True):
            np.testing.assert_array_equal(x[:, 0, 0, 0], indices)
