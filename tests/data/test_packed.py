"""Packed folders: the examples of any source, to the bit, and what is wrong with a folder."""

import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import run
from PIL import Image

from genjax import data
from genjax.data import encoded, packed, packing, positions
from genjax.data.feed import Feed
from genjax.data.registry import license_of
from genjax.data.source import check
from genjax.engine.mesh import make_mesh
from genjax.engine.phase import Phase, ScheduledPhase
from genjax.errors import InputError

pytest.importorskip("array_record")

X = np.random.default_rng(0).integers(0, 256, (12, 6, 5, 3), np.uint8)


@pytest.fixture
def pictures(tmp_path):
    """Twelve PNG files in two classes."""
    for i, x in enumerate(X):
        path = tmp_path / "pictures" / "ab"[i % 2] / f"{i:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(x).save(path)
    return tmp_path / "pictures"


def pack(sources, out, license=""):
    packing.write(out, sources, "made", license, 0, lambda done: None)
    return f"packed:{out}"


@pytest.mark.parametrize("streamed", [False, True])
def test_a_folder_of_images_packed_is_the_same_source(pictures, tmp_path, load, monkeypatch, streamed):
    original = load(f"folder:{pictures}")
    monkeypatch.setattr(packing, "SHARD_BYTES", 4 * X[0].nbytes)
    name = pack({"train": original}, tmp_path / "out")
    if streamed:
        monkeypatch.setattr(encoded, "MAX_IN_MEMORY", 0)
    source = load(str(tmp_path / "out"))
    check(source)
    assert source.name == name
    assert (source.label_names, source.names) == (("a", "b"), original.names)
    np.testing.assert_array_equal(source.labels, original.labels)
    order = np.array([7, 0, 11, 7, 3])
    np.testing.assert_array_equal(source.read(order), original.read(order))
    assert (source.fingerprint == original.fingerprint) == (not streamed)
    assert len(list((tmp_path / "out").glob("*.array_record"))) == 3
    part = load(name, "train[25%:50%]")
    np.testing.assert_array_equal(part.read(np.arange(3)), original.read(np.arange(3, 6)))
    assert part.names == original.names[3:6]
    assert part.fingerprint != source.fingerprint


def test_a_feed_has_the_batches_of_the_folder_that_was_packed(pictures, tmp_path, load, monkeypatch):
    original = load(f"folder:{pictures}")
    name = pack({"train": original}, tmp_path / "out")
    monkeypatch.setattr(encoded, "MAX_IN_MEMORY", 0)
    scheduled = ScheduledPhase(Phase("read", 9, 5, None), 0, 0)
    both = []
    for source in (load(f"folder:{pictures}"), load(name)):
        batches = Feed(source, 1, make_mesh(), 0).batches(scheduled, 2, 3)
        both.append(batches.take(3))
        batches.close()
    for key in ("x", "label"):
        np.testing.assert_array_equal(both[0][key], both[1][key])
    expected = original.read(positions(1, 12, 2 * 5, 15)).reshape(3, 1, 5, 6, 5, 3)
    np.testing.assert_array_equal(both[1]["x"], expected)


def test_a_record_is_the_pixels_and_the_label(tmp_path, load):
    deep = np.random.default_rng(0).integers(0, 2**16, (3, 4, 5, 1), np.uint16)
    np.savez(tmp_path / "x.npz", x=deep, labels=[2, 0, 1])
    name = pack({"train": load(f"array:{tmp_path / 'x.npz'}", bits=16)}, tmp_path / "out")
    (file,) = (tmp_path / "out").glob("*.array_record")
    reader = packed.array_record("test").ArrayRecordReader(str(file))
    assert reader.read([1]) == [deep[1].astype("<u2").tobytes() + np.int32(0).astype("<i4").tobytes()]
    np.testing.assert_array_equal(load(name, bits=16).read(np.arange(3)), deep)
    with pytest.raises(InputError, match=r"has 16 bits per channel: set data\.bits=16"):
        load(name)


def test_splits_attributes_and_license_stay_and_another_size_is_resized(tmp_path, load):
    table = np.float32([[1, 0.5], [0, 2], [3, 1]])
    splits = {}
    for split, first in (("train", 0), ("test", 3)):
        source = data.in_memory("made", split, X[first : first + 3], None)
        splits[split] = replace(source, attributes=table + first, attribute_names=("age", "height"), form="was larger")
    name = pack(splits, tmp_path / "out", "CC0")
    both = load(name, "test+train[1:]")
    np.testing.assert_array_equal(both.read(np.arange(5)), X[[3, 4, 5, 1, 2]])
    np.testing.assert_array_equal(both.attributes, np.concatenate([table + 3, table[1:]]))
    assert (both.labels, both.names, both.attribute_names, both.form) == (None, None, ("age", "height"), "was larger")
    assert license_of(name) == "CC0"
    with pytest.raises(InputError, match="no split 'validation'; choose from train, test"):
        load(name, "validation")
    np.save(tmp_path / "x.npy", X[:3])
    smaller = load(name, size="4x4", channels=1)
    np.testing.assert_array_equal(
        smaller.read(np.arange(3)), load(f"array:{tmp_path / 'x.npy'}", size="4x4", channels=1).read(np.arange(3))
    )
    assert smaller.form == "was larger; 6x5 to 4x4, crop"


def shard_of(folder):
    return next(folder.glob("train-*"))


def cut(folder):
    shard_of(folder).write_bytes(shard_of(folder).read_bytes()[:-100])


def overwrite(folder):
    content = bytearray(shard_of(folder).read_bytes())
    content[200:1000] = bytes(800)
    shard_of(folder).write_bytes(content)


def elsewhere(folder):
    path = folder / "packed.json"
    path.write_text(path.read_text().replace('"train-00000', '"../train-00000'))


def describe(**changes):
    def change(folder):
        content = json.loads((folder / "packed.json").read_text()) | changes
        (folder / "packed.json").write_text(json.dumps(content))

    return change


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut, r"train-00000-of-00001\.array_record, of train, has [\d,]+ bytes, not [\d,]+: copy it"),
        (lambda folder: shard_of(folder).unlink(), "of train, is missing: copy it"),
        (overwrite, r"train-00000-of-00001\.array_record is damaged \(.*\): copy it"),
        (lambda folder: (folder / "packed.json").unlink(), r"has no packed\.json: expected a folder that python -m"),
        (lambda folder: (folder / "packed.json").write_text("{"), r"packed\.json is not as .* writes it"),
        (elsewhere, r"file '\.\./train-00000-of-00001\.array_record', not in this folder"),
        (describe(version=2), "expected 'genjax packed images', version 1"),
        (describe(format="other"), "expected 'genjax packed images'"),
        (describe(dtype="float64"), "dtype float64"),
        (describe(shape=[6, 5]), r"shape \(6, 5\)"),
        (describe(shape=[6, 5, 1]), r"is damaged \(expected records of 34 bytes\)"),
        (lambda folder: (folder / "train.npz").write_text("no"), r"train\.npz cannot be read"),
        (describe(labeled=False), r"train\.npz is of other data than"),
    ],
)
def test_a_folder_that_is_not_whole_is_refused(pictures, tmp_path, load, damage, message):
    name = pack({"train": load(f"folder:{pictures}")}, tmp_path / "out")
    damage(tmp_path / "out")
    with pytest.raises(InputError, match=message):
        load(name)


def test_a_place_without_a_packed_folder(tmp_path, load):
    with pytest.raises(InputError, match=r"is no folder with a packed\.json"):
        load(f"packed:{tmp_path / 'nowhere'}")


def test_what_cannot_be_packed_is_refused(tmp_path, load, monkeypatch):
    images = data.in_memory("made", "train", X, None)
    larger = data.in_memory("made", "test", np.zeros((2, 8, 8, 3), np.uint8), None)
    for sources, message in (
        ({"train": load("ring8")}, "ring8 has no images"),
        ({"train": replace(images, stacked=True)}, "name stacked:packed:PATH"),
        (
            {"train": load("lab:shapes_16")},
            "lab:shapes_16 is made of other images: pack those, and name lab:packed:PATH",
        ),
        ({"train": images, "test": larger}, r"test has shape \(8, 8, 3\), and train \(6, 5, 3\): pack one split alone"),
        ({"train": images, "test": replace(images, labels=np.zeros(12, np.int32))}, "only one of .* has labels"),
    ):
        with pytest.raises(InputError, match=message):
            packing.check(sources, tmp_path / "out")
    monkeypatch.setattr(packing.shutil, "disk_usage", lambda place: SimpleNamespace(free=100))
    with pytest.raises(InputError, match=r"1\.1 KiB are needed, and 100 B are free"):
        packing.check({"train": images}, tmp_path / "out")


def test_a_pack_that_is_interrupted_leaves_nothing(tmp_path):
    def read(indices):
        if indices[-1] > 5:
            raise KeyboardInterrupt
        return X[indices]

    source = replace(data.in_memory("made", "train", X, None), read=read)
    with pytest.raises(KeyboardInterrupt):
        pack({"train": source}, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_package_that_is_not_installed_is_named(pictures, tmp_path, load, monkeypatch):
    name = pack({"train": load(f"folder:{pictures}")}, tmp_path / "out")
    monkeypatch.setitem(sys.modules, "array_record.python", None)
    with pytest.raises(InputError, match=r"needs the package array_record .*pip install array_record"):
        load(name)


@pytest.mark.heavy
def test_the_command(pictures, tmp_path):
    out = tmp_path / "small"
    done = run("genjax.pack", f"--data={pictures}", "--size=4", f"--out={out}", "--license=mine")
    assert (done.code, done.compiled) == (0, 0), done.err
    assert done.out.splitlines()[0].startswith("train: 12 images of 4x4x3 uint8, ")
    assert done.out.splitlines()[1] == f"to train on it: --config.data.name=packed:{out}"
    described = json.loads((out / "packed.json").read_text())
    assert (described["source"], described["license"], described["form"]) == (
        "folder:pictures",
        "mine",
        "6x5 to 4x4, crop",
    )
    again = run("genjax.pack", f"--data={pictures}", f"--out={out}")
    assert again.code == 2
    assert "is not empty: choose another folder" in again.err
    absent = run("genjax.pack", f"--data={pictures}", "--splits=val", f"--out={tmp_path / 'x'}")
    assert (absent.code, "no split 'val'" in absent.err, (tmp_path / "x").exists()) == (2, True, False)
