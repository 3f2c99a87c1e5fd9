"""Fingerprints of data that are not held in memory: of the contents, whatever the place and the dates of the files."""

import os
import shutil

import numpy as np
import pytest
from PIL import Image

from genjax import data
from genjax.data import encoded
from genjax.data.encoded import EncodedImages, digests
from genjax.data.images import Form, form_text

rng = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def nothing_in_memory(monkeypatch):
    monkeypatch.setattr(encoded, "MAX_IN_MEMORY", 0)


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "pictures"
    for i in range(6):
        path = place / "ab"[i % 2] / f"{i}.bmp"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (20, 20, 3), np.uint8)).save(path)
    return place


def fingerprint(folder, **form):
    return data.open_source(
        f"folder:{folder}", form=Form(**{"size": None, "channels": 3, "resize": "crop"} | form)
    ).fingerprint


@pytest.mark.parametrize("pixel", [(0, 0), (9, 11), (19, 19)])
def test_one_pixel_is_noticed_in_a_file_of_the_same_size(folder, pixel):
    before = fingerprint(folder)
    path = folder / "a" / "2.bmp"
    size = path.stat().st_size
    with Image.open(path) as image:
        x = np.array(image)
    x[pixel] ^= 1
    Image.fromarray(x).save(path)
    assert path.stat().st_size == size
    assert fingerprint(folder) != before


def test_a_moved_or_copied_folder_is_the_same(folder, tmp_path):
    before = fingerprint(folder)
    shutil.copytree(folder, tmp_path / "copy", copy_function=shutil.copyfile)
    os.utime(tmp_path / "copy" / "a" / "0.bmp", (1, 1))
    assert fingerprint(tmp_path / "copy") == before
    folder.rename(tmp_path / "moved")
    assert fingerprint(tmp_path / "moved") == before


def test_names_classes_and_the_form_are_covered(folder):
    before = fingerprint(folder)
    assert fingerprint(folder, size=(10, 10)) != before
    assert fingerprint(folder, size=(10, 10)) != fingerprint(folder, size=(10, 10), resize="squash")
    (folder / "a").rename(folder / "c")
    assert fingerprint(folder) != before


def test_labels_in_a_table_are_covered(folder):
    names = [f"{'ab'[i % 2]}/{i}.bmp" for i in range(6)]
    found = []
    for labels in ([0, 1, 0, 1, 0, 1], [1, 1, 0, 1, 0, 0]):
        rows = ", ".join(f'["{name}", {label}]' for name, label in zip(names, labels, strict=True))
        (folder / "dataset.json").write_text(f'{{"labels": [{rows}]}}')
        source = data.open_source(f"folder:{folder}")
        assert sorted(source.labels) == sorted(labels)
        found.append(source.fingerprint)
    assert found[0] != found[1]


def digest(content):
    return next(digests(EncodedImages(1, lambda _: [content], str), np.array([0])))


@pytest.mark.parametrize(("place", "noticed"), [(0, True), (299, True), (300, False), (5000, True), (9999, True)])
def test_large_files_of_very_many_are_digested_in_three_parts(monkeypatch, place, noticed):
    monkeypatch.setattr(encoded, "MAX_DIGESTED", 900)
    monkeypatch.setattr(encoded, "LEAST_DIGESTED", 600)
    content = bytes(rng.integers(0, 256, 10_000, np.uint8))
    changed = bytearray(content)
    changed[place] ^= 1
    assert (digest(bytes(changed)) != digest(content)) == noticed
    assert digest(content[:900]) != digest(content[:899] + b"?")  # small ones are digested whole
    assert digest(content + b"?") != digest(content)


def test_a_png_in_parts_shows_a_change_of_any_pixel_at_its_end(monkeypatch, tmp_path):
    monkeypatch.setattr(encoded, "MAX_DIGESTED", 0)
    monkeypatch.setattr(encoded, "LEAST_DIGESTED", 300)
    x = rng.integers(0, 256, (64, 64, 3), np.uint8)
    contents = []
    for change in (0, 1):
        x[20, 20] ^= change
        Image.fromarray(x).save(tmp_path / "x.png", compress_level=0)
        contents.append((tmp_path / "x.png").read_bytes())
    assert len(contents[0]) == len(contents[1])
    assert digest(contents[0]) != digest(contents[1])


# -- forms


@pytest.mark.parametrize(
    ("name", "size", "text"),
    [
        ("emoji_32", (64, 64), "32x32 to 64x64, squash"),
        ("emoji_32", (32, 32), ""),
        ("emoji_32", None, ""),
        ("fashion_mnist_10k", (32, 16), "28x28 to 32x16, squash"),
        ("shapes_16", (8, 8), "16x16 to 8x8, squash"),
        ("stacked:fashion_mnist_10k", (8, 8), "28x28 to 8x8, squash"),
        ("pairs:shapes_16,emoji_32", (8, 8), "16x16 to 8x8, squash; 32x32 to 8x8, squash"),
    ],
)
def test_sources_say_how_images_were_brought_to_their_shape(name, size, text):
    source = data.open_source(name, "train[:10]", Form(size, 0, "squash"))
    assert source.form == source.describe().get("form", "") == text


def test_sizes_that_a_data_set_does_not_declare_are_several():
    form = Form((8, 8), 0, "crop")
    assert form_text((None, None, 3), (8, 8, 3), form) == "several sizes to 8x8, crop"
    assert form_text((None, None, 3), (9, 9, 3), Form(None, 0, "crop")) == ""
