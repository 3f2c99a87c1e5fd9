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


def test_files_without_images_are_refused(tmp_path, load):
    parquet.write_table(pyarrow.table({"text": ["a"]}), tmp_path / "x.parquet")
    with pytest.raises(InputError, match=r"no column of images .*; it has text string"):
        load(f"parquet:{tmp_path / 'x.parquet'}")
    (tmp_path / "y.parquet").write_text("text")
    with pytest.raises(InputError, match=r"y\.parquet cannot be read as Parquet"):
        load(f"parquet:{tmp_path / 'y.parquet'}")
    with pytest.raises(InputError, match="no such file; expected a"):
        load("parquet:nowhere")
