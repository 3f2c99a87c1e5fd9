import os
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
