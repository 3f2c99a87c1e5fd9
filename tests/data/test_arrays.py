"""Arrays of images and points are read in the forms in which people store them, or refused in one line."""

import re

import numpy as np
import pytest

from genjax.data import encoded
from genjax.data.source import check
from genjax.errors import InputError

X = np.random.default_rng(0).integers(0, 256, (10, 6, 8, 3), np.uint8)
GRAY = X[..., :1]


def write(path, **arrays):
    if path.suffix == ".npy":
        np.save(path, *arrays.values())
    elif path.suffix == ".npz":
        np.savez(path, **arrays)
    else:
        h5py = pytest.importorskip("h5py")
        with h5py.File(path, "w") as file:
            for name, x in arrays.items():
                file[name] = x
    return path


@pytest.fixture(params=["in memory", "streamed"])
def way(request, monkeypatch):
    if request.param == "streamed":
        monkeypatch.setattr(encoded, "MAX_IN_MEMORY", 0)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".h5", ".hdf5"])
@pytest.mark.parametrize(
    ("stored", "expected", "note"),
    [
        (X, X, ""),
        (GRAY, GRAY, ""),
        (GRAY[..., 0], GRAY, ""),
        (np.moveaxis(X, 3, 1), X, r"\[10, 3, 6, 8\] is read as \[N, C, H, W\]"),
        ((X / 255).astype(np.float32), X, "float32 from 0 to 1 becomes 0 to 255"),
        (X / 127.5 - 1, X, "float64 from -1 to 1 becomes 0 to 255"),
        (X.astype(np.float16), X, "float16 from 0 to 255"),
        (X.astype(np.int64), X, "int64 from 0 to 255 becomes 0 to 255$"),
        (X.astype(np.uint16) * 257, X, "uint16 from 0 to 65535 becomes 0 to 255; data.bits=16 keeps 16 bits"),
        (X > 127, (X > 127) * np.uint8(255), "bool from 0 to 1"),
    ],
)
def test_images(tmp_path, load, way, suffix, stored, expected, note):
    source = load(f"array:{write(tmp_path / f'x{suffix}', x=stored)}", "train[2:]")
    check(source)
    assert (source.size, source.shape, source.labels, source.form) == (8, expected.shape[1:], None, "")
    order = np.array([5, 0, 3, 3])
    np.testing.assert_array_equal(source.read(order), expected[2:][order])
    assert len(source.notes) == bool(note)
    if note:
        assert re.search(note, source.notes[0])


def test_labels_beside_the_images(tmp_path, load):
    source = load(f"array:{write(tmp_path / 'x.npz', images=X, labels=np.arange(10)[:, None] % 3)}", "train[1:4]")
    assert (source.labels.tolist(), source.label_names) == ([1, 2, 0], ("0", "1", "2"))


@pytest.mark.parametrize("labels", [np.arange(10) % 2 == 1, np.arange(10) % 2 * 1.0, np.array(["a", "b"] * 5)])
def test_labels_of_other_types(tmp_path, load, labels):
    source = load(f"array:{write(tmp_path / 'x.npz', x=X, y=labels)}")
    check(source)
    assert (source.labels.tolist(), source.notes) == ([0, 1] * 5, ())
    assert source.label_names == (("a", "b") if labels.dtype.kind == "U" else ("0", "1"))


@pytest.mark.parametrize(
    ("arrays", "note"),
    [
        ({"labels": np.arange(5)}, "no labels: labels int64 [5]; expected whole numbers or words [10]"),
        ({"labels": np.arange(10) / 2}, "no labels: labels float64 [10]; expected whole numbers or words [10]"),
        ({"labels": np.arange(10) % 2, "y": np.arange(10)}, "not used: y int64 [10]; labels is used"),
        ({"ids": np.arange(10), "count": np.array(3)}, "left out: ids int64 [10]"),
    ],
)
def test_what_is_not_read_is_said(tmp_path, load, arrays, note):
    assert load(f"array:{write(tmp_path / 'x.npz', x=X, **arrays)}").notes == (note,)


def test_names_that_our_commands_write_are_read_back(tmp_path, load):
    names, kinds = np.array([f"{i}.png" for i in range(10)]), np.array(["cat", "dog"])
    path = write(tmp_path / "x.npz", x=X, names=names, labels=np.arange(10) % 2, label_names=kinds)
    source = load(f"array:{path}", "train[8:]")
    assert (source.names, source.label_names, source.notes) == (["8.png", "9.png"], ("cat", "dog"), ())


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_dark_pixels_are_said_and_scaled_on_request(tmp_path, load, dtype):
    path = write(tmp_path / "x.npy", x=(X > 127).astype(dtype) * dtype(2))
    (note,) = load(f"array:{path}").notes
    assert note.endswith("the largest value is 2: data.range=0,2 makes that white")
    np.testing.assert_array_equal(load(f"array:{path}", range="0,2").read(np.arange(10)), (X > 127) * np.uint8(255))


@pytest.mark.parametrize(
    ("x", "note"),
    [
        (X[0].transpose(2, 0, 1), r"\[3, 6, 8\] is read as \[N, H, W\], 3 in gray"),
        (X[0, ..., 0], r"uint8 is read as float32, \[6, 8\] as points"),
    ],
)
def test_what_may_be_one_image_is_said(tmp_path, load, x, note):
    assert re.match(note, load(f"array:{write(tmp_path / 'x.npy', x=x)}").notes[0])


def test_one_of_several_arrays_is_named(tmp_path, load):
    path = write(tmp_path / "x.npz", first=X, second=GRAY)
    assert load(f"array:{path}:second").shape == (6, 8, 1)
    with pytest.raises(InputError, match=r"first uint8 \[10, 6, 8, 3\].*name one, as in array:.*x\.npz:first"):
        load(f"array:{path}")
    with pytest.raises(InputError, match="no array 'third'; it has first, second"):
        load(f"array:{path}:third")


def test_a_path_alone_is_enough(tmp_path, load):
    assert load(str(write(tmp_path / "x.npy", x=X))).name == f"array:{tmp_path / 'x.npy'}"


def test_images_are_brought_to_a_form_and_it_is_said(tmp_path, load, way):
    source = load(f"array:{write(tmp_path / 'x.npy', x=X)}", size="4", channels=1)
    assert source.read(np.arange(10)).shape == (10, 4, 4, 1)
    assert source.form == "6x8 to 4x4, crop"


def test_held_and_streamed_have_one_fingerprint(tmp_path, load, monkeypatch):
    path = write(tmp_path / "x.npz", x=X, y=np.arange(10))
    held = load(f"array:{path}")
    monkeypatch.setattr(encoded, "MAX_IN_MEMORY", 0)
    assert load(f"array:{path}").fingerprint == held.fingerprint


def test_points(tmp_path, load):
    points = np.random.default_rng(0).normal(size=(9, 2))
    source = load(f"array:{write(tmp_path / 'x.npy', x=points)}")
    assert source.notes == ("float64 is read as float32",)
    np.testing.assert_array_equal(source.read(np.arange(9)), points.astype(np.float32))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"x": np.zeros((4, 7, 6, 7), np.uint8)},
            r"uint8 \[4, 7, 6, 7\]: the channels may be the last axis or the second: set data.channels",
        ),
        ({"x": np.zeros((4, 5, 6), np.float32)}, r"name series as series:.*, or add an axis of channels"),
        ({"x": X[0]}, r"uint8 \[6, 8, 3\], perhaps one image: write it as x\[None\]"),
        ({"x": np.zeros(4)}, r"x float64 \[4\]: expected one array of images"),
        ({"x": np.zeros((0, 2, 2, 3), np.uint8)}, r"holds uint8 \[0, 2, 2, 3\]"),
        (
            {"x": np.full((2, 2, 2, 1), 300.0)},
            r"float64 from 300 to 300, neither 0 to 1 nor -1 to 1 nor 0 to 255: set d",
        ),
        ({"x": np.full((2, 2, 2, 1), np.nan)}, "NaN or infinity in it: expected finite pixels"),
        ({"x": np.array([[np.nan, 1.0]])}, "NaN or infinity in it: expected finite points"),
        ({"x": np.array([[{}]])}, "cannot be read as arrays: it is no array, or holds Python objects"),
        ({"x": np.zeros((2, 2), complex)}, r"holds complex128 \[2, 2\]"),
        ({"x": X, "labels": np.arange(10) - 1}, "labels has values from -1 to 8: expected from 0 on"),
    ],
)
def test_other_arrays_are_refused(tmp_path, load, arrays, message):
    with pytest.raises(InputError, match=message):
        load(f"array:{write(tmp_path / 'x.npz', **arrays)}")


def test_a_range_of_ones_own(tmp_path, load):
    path = write(tmp_path / "x.npy", x=np.uint16([[[[0], [4095]]]]))
    assert load(f"array:{path}", range="0,4095").read(np.array([0])).ravel().tolist() == [0, 255]
    nan = write(tmp_path / "nan.npy", x=np.full((1, 2, 2, 1), np.nan))
    with pytest.raises(InputError, match="expected finite pixels"):
        load(f"array:{nan}", range="0,1")
    with pytest.raises(InputError, match=r"data\.range '5' is not a range: write"):
        load(f"array:{path}", range="5")


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".h5"])
def test_what_is_no_array_is_named(tmp_path, load, suffix):
    path = tmp_path / f"x{suffix}"
    path.write_text("text")
    with pytest.raises(InputError, match=rf"x\{suffix} cannot be read as arrays"):
        load(f"array:{path}")
    with pytest.raises(InputError, match="no such file"):
        load(f"array:{tmp_path / 'nowhere'}")
