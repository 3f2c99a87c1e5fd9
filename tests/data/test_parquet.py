"""Parquet files as the Hugging Face Hub has them."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from genjax.data.source import check
from genjax.errors import InputError

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

X = np.random.default_rng(0).integers(0, 256, (6, 4, 4, 3), np.uint8)


def encoded(x):
    buffer = io.BytesIO()
    Image.fromarray(x).save(buffer, "PNG")
    return buffer.getvalue()


def write(path, rows, names=("cat", "dog"), **columns):
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pyarrow.table({"image": rows, **columns})
    info = {"info": {"features": {"image": {"_type": "Image"}, "label": {"names": list(names), "_type": "ClassLabel"}}}}
    parquet.write_table(table.replace_schema_metadata({"huggingface": json.dumps(info)} if names else {}), path)
    return path


ROWS = [{"bytes": encoded(x), "path": f"{i}.png"} for i, x in enumerate(X)]


def test_splits_labels_and_names_of_a_folder(tmp_path, load):
    for i, split in enumerate(("train-00000-of-00002", "train-00001-of-00002", "test-00000-of-00001")):
        write(tmp_path / "data" / f"{split}.parquet", ROWS[2 * i : 2 * i + 2], label=[0, 1])
    source = load(str(tmp_path), "train[1:]+test")
    check(source)
    assert source.name == f"parquet:{tmp_path}"
    np.testing.assert_array_equal(source.read(np.arange(5)), X[1:])
    assert source.labels.tolist() == [1, 0, 1, 0, 1]
    assert source.label_names == ("cat", "dog")
    assert source.names == ["1.png", "2.png", "3.png", "4.png", "5.png"]
    with pytest.raises(InputError, match=r"no split 'valid'.*choose from"):
        load(str(tmp_path), "valid")


def test_a_file_of_plain_bytes_without_labels(tmp_path, load):
    path = write(tmp_path / "x.parquet", [row["bytes"] for row in ROWS], names=())
    source = load(str(path))
    np.testing.assert_array_equal(source.read(np.arange(6)), X)
    assert (source.labels, source.names[1]) == (None, "x:1")


def test_broken_images_are_named_or_left_out(tmp_path, load):
    path = write(
        tmp_path / "x.parquet", [*ROWS[:3], {"bytes": b"no", "path": "bad.png"}, {"bytes": None, "path": "none"}]
    )
    with pytest.raises(InputError, match=r"2 images cannot be used: .*bad\.png \(not an image.*none"):
        load(str(path))
    source = load(str(path), skip_broken=True)
    assert (source.size, source.skipped) == (3, ("bad.png", "none"))
    assert source.notes[0] == "used 3; left out 2: broken 2"


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (("default/train/0000", "default/test/0000"), ("train", "test")),
        (("train", "val"), ("train", "validation")),
        (("a", "testing_cats"), ("train", "test")),
        (("contest", "latest"), ("train", "train")),
    ],
)
def test_splits_by_words_of_paths(tmp_path, load, names, splits):
    for i, name in enumerate(names):
        write(tmp_path / f"{name}.parquet", ROWS[i : i + 1])
    for split in set(splits):
        expected = [f"{i}.png" for i in range(2) if splits[i] == split]
        assert sorted(load(f"parquet:{tmp_path}", split).names) == expected


@pytest.mark.parametrize(
    ("labels", "classes", "names", "note"),
    [
        (["b", "a"], [1, 0], ("a", "b"), "labels are from the column label"),
        ([1.0, 0.0], [1, 0], ("0", "1"), "labels are from the column label"),
        ([True, False], [1, 0], ("0", "1"), "labels are from the column label"),
        ([2**40, 0], None, (), "no labels: 1 of 2 rows have no whole number from 0 on in the column"),
        (["a", None], None, (), "no labels: 2 of 2 rows have no whole number from 0 on in the column"),
        ([[1], [0]], None, (), "no labels: 2 of 2 rows have no whole number from 0 on in the column"),
        ([None, None], None, (), ""),
    ],
)
def test_labels_of_all_types(tmp_path, load, labels, classes, names, note):
    source = load(str(write(tmp_path / "x.parquet", ROWS[:2], (), label=labels)))
    check(source)
    assert (None if source.labels is None else source.labels.tolist(), source.label_names) == (classes, names)
    assert "; ".join(source.notes).startswith(note)


def test_labels_beyond_the_names_of_classes_are_none(tmp_path, load):
    source = load(str(write(tmp_path / "x.parquet", ROWS[:2], label=[0, 2])))
    assert source.notes == ("no labels: the largest is 2, and the file names 2 classes",)


def test_what_is_not_read_is_said(tmp_path, load):
    write(tmp_path / "train-00001-of-00003.parquet", ROWS[:2], (), id=[b"1", b"2"])
    (tmp_path / "README.md").touch()
    (tmp_path / ".hidden.parquet").touch()
    (tmp_path / "photo.png").touch()
    assert load(f"parquet:{tmp_path}").notes == (
        "used 2; left out 3: .md 1, .png 1, hidden 1",
        "1 of 3 files of train are there; images are of the column image, not of id",
    )


def test_files_without_images_are_refused(tmp_path, load):
    parquet.write_table(pyarrow.table({"text": ["a"]}), tmp_path / "x.parquet")
    with pytest.raises(InputError, match=r"no column of images .*; it has text string"):
        load(f"parquet:{tmp_path / 'x.parquet'}")
    (tmp_path / "y.parquet").write_text("text")
    with pytest.raises(InputError, match=r"y\.parquet cannot be read as Parquet"):
        load(f"parquet:{tmp_path / 'y.parquet'}")
    write(tmp_path / "z.parquet", pyarrow.array([], pyarrow.binary()))
    with pytest.raises(InputError, match=r"z\.parquet has no rows: expected images"):
        load(f"parquet:{tmp_path / 'z.parquet'}")
    with pytest.raises(InputError, match="no such file; expected a"):
        load("parquet:nowhere")
