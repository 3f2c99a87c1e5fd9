"""Labels by file name: sub-folders in the order of numbers, tables of several kinds, and what is refused."""

import io
import json

import numpy as np
import pytest

from genjax.data.labels import find_labels
from genjax.data.listing import Listing
from genjax.errors import InputError

IMAGES = ["a.png", "b.png", "c.png"]


def listing(images=IMAGES, **tables):
    files = {name.replace("__", "."): data.encode() if isinstance(data, str) else data for name, data in tables.items()}
    return Listing("root", list(images), [(name, "." + name.rpartition(".")[2]) for name in files], files.__getitem__)


def npy(x):
    buffer = io.BytesIO()
    np.save(buffer, x)
    return buffer.getvalue()


def test_sub_folders_are_ordered_as_numbers():
    found = find_labels(listing([f"{i}/x.png" for i in (1, 10, 11, 2)]))
    assert found.names == ("1", "2", "10", "11")
    assert found.classes.tolist() == [0, 2, 3, 1]


def test_an_image_outside_of_the_sub_folders_is_named():
    found = find_labels(listing(["a/1.png", "a/2.png", "b/3.png", "cover.png"]))
    assert found.classes is None
    assert found.note == "no labels: cover.png is in no sub-folder, and 3 other images are"
    assert find_labels(listing()).note == ""


ROWS = [["c.png", 2], ["a.png", 0], ["b.png", 1]]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("dataset__json", json.dumps({"labels": ROWS})),
        ("labels__json", json.dumps(ROWS)),
        ("labels__json", json.dumps(dict(ROWS))),
        ("labels__json", "\ufeff" + json.dumps({name: [label] for name, label in ROWS})),
        ("dataset__json", json.dumps({"labels": [[name, np.eye(3)[label].tolist()] for name, label in ROWS]})),
        ("labels__csv", "c.png,2\na.png,0\nb.png,1\n"),
        ("labels__csv", "\ufefffile;kind\r\nc.png;2\r\na.png;0\r\n\r\nb.png;1\r\n"),
        ("labels__csv", "name\tkind\n./c.png\t2\na.png\t0\nb.png\t1"),
        ("labels__csv", 'c.png, "2"\na.png, "0"\nb.png,1.0\n'),
        ("labels__csv", "c.png,2\na.png,0\nb.png,1\nb.png,1".encode("utf-16")),
        ("labels__npy", npy(np.array([0, 1, 2]))),
        ("labels__npy", npy(np.array([["c.png", "2"], ["a.png", "0"], ["b.png", "1"]]))),
    ],
)
def test_tables_are_read_by_file_name(name, content):
    found = find_labels(listing(**{name: content}))
    assert found.classes.tolist() == [0, 1, 2]
    assert found.names in (("0", "1", "2"), ("kind",) * 3)
    assert found.table == name.replace("__", ".")
    assert found.note.startswith("labels are from")


def test_words_and_numbers_with_gaps_are_numbered_and_said():
    found = find_labels(listing(labels__csv="a.png,cat\nb.png,dog\nc.png,cat"))
    assert (found.names, found.classes.tolist()) == (("cat", "dog"), [0, 1, 0])
    found = find_labels(listing(labels__csv="a.png,10\nb.png,2\nc.png,2"))
    assert (found.names, found.classes.tolist()) == (("2", "10"), [1, 0, 0])
    assert "numbered 0 to 1 in the order 2, 10" in found.note


def test_several_numbers_are_attributes_of_which_one_can_be_the_class():
    table = "file,smile,hat\na.png,1,0.5\nb.png,0,2\nc.png,1,3\n"
    found = find_labels(listing(labels__csv=table))
    assert found.classes is None
    np.testing.assert_array_equal(found.attributes, [[1, 0.5], [0, 2], [1, 3]])
    assert found.attribute_names == ("smile", "hat")
    assert "data.labels=labels.csv:COLUMN makes one the class (smile, hat)" in found.note
    found = find_labels(listing(labels__csv=table), "labels.csv:smile")
    assert (found.names, found.classes.tolist()) == (("0", "1"), [1, 0, 1])


def test_names_may_lack_their_folder():
    found = find_labels(listing(["x/a.png", "y/b.png"], labels__csv="a.png,1\nb.png,0"))
    assert found.classes.tolist() == [1, 0]


def test_no_labels_are_none():
    found = find_labels(listing(dataset__json='{"labels": null}'))
    assert (found.classes, found.note) == (None, "no labels: dataset.json has none")


def test_labels_of_no_image_are_counted():
    found = find_labels(listing(labels__csv="gone.png,7\na.png,1\nb.png,0\nc.png,1"))
    assert found.classes.tolist() == [1, 0, 1]
    assert found.note == "labels are from labels.csv; it has 1 more, of no image here"


def test_a_file_elsewhere_is_read_when_it_is_asked_for(tmp_path):
    (tmp_path / "mine.csv").write_text("a.png,1\nb.png,0\nc.png,1")
    assert find_labels(listing(), str(tmp_path / "mine.csv")).classes.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a.png,1\n", "labels.csv has no label of b.png, c.png: expected one for every image"),
        ("a.png\nb.png\nc.png", "labels.csv has no labels by file name"),
        ("a.png,1\nb.png,1,2\nc.png,1", "labels.csv has labels of different lengths: 1 in 2 and 2 in 1 rows"),
        (b"\xff\xfe\x00", "labels.csv begins as utf-16 but is none at byte 2"),
        ("a.png,1\nb.png,0\nc.png,1\na.png,0", "labels.csv has two labels of a.png: 1 and 0"),
        ("x/a.png,1\ny/a.png,0\nx/b.png,0\nx/c.png,1", "labels.csv has two labels of a.png: 1 and 0"),
        ("a.png,1\nb.png,\nc.png,1", "labels.csv has no label of b.png: expected"),
        ("id,kind\na,1\nb,1\nc,1", "labels.csv has no label of a.png, b.png, c.png: .*; its names are a, b, c"),
        ("a.png,1,2\nb.png,nan,2\nc.png,1,2", "labels.csv has several numbers per image, of which one is NaN"),
    ],
)
def test_a_table_that_does_not_fit_is_an_error_if_asked_for_and_else_a_note(content, message):
    with pytest.raises(InputError, match="data.labels='labels.csv': " + message):
        find_labels(listing(labels__csv=content), "labels.csv")
    found = find_labels(listing(labels__csv=content))
    assert found.classes is None
    assert found.note.startswith("no labels: ")
    assert message.partition(":")[0] in found.note


@pytest.mark.parametrize(
    "content",
    ['"a.png"', "3", '["ab", "cd"]', '[["a.png", NaN]]', '[["a.png", true]]', '{"labels": [["a.png", 1, 2]]}'],
)
def test_a_json_of_another_form_is_said_in_our_words(content):
    note = find_labels(listing(dataset__json=content)).note
    assert "(expected pairs of a name and a label)" in note or "is no label)" in note


def test_wrong_columns_and_files_are_named(tmp_path):
    table = "file,smile,hat\na.png,1,0\nb.png,0,0\nc.png,1,1\n"
    with pytest.raises(InputError, match=r"no column 'smiles' \(did you mean 'smile'\?\); it has smile, hat"):
        find_labels(listing(labels__csv=table), "labels.csv:smiles")
    with pytest.raises(InputError, match=r"has no 'hat' of 1 images: expected one for every"):
        find_labels(listing(labels__csv=table.replace("b.png,0,0", "b.png,0,")), "labels.csv:hat")
    with pytest.raises(InputError, match=r"nowhere\.csv cannot be read \(No such file"):
        find_labels(listing(), str(tmp_path / "nowhere.csv"))
    with pytest.raises(InputError, match=r"expected a \.json, \.csv, \.npy"):
        find_labels(listing(), "labels.txt")
    with pytest.raises(InputError, match="no labels by file name"):
        find_labels(listing(labels__npy=npy(np.array([{}], object))), "labels.npy")
