"""Every file of a folder or a zip is used or accounted for; links and hidden files are safe."""

import os
import warnings
import zipfile

import pytest
from PIL import Image

from genjax.data.images import FORMATS, SUFFIXES
from genjax.data.listing import list_files
from genjax.errors import InputError


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def test_images_are_sorted_and_all_other_files_are_counted(tmp_path):
    touch(
        tmp_path,
        "b.PNG",
        "a/c.jfif",
        "notes.txt",
        "a/more.txt",
        "README",
        ".DS_Store",
        ".git/config",
        "__MACOSX/._b.png",
    )
    listing = list_files(tmp_path)
    assert listing.images == ["a/c.jfif", "b.PNG"]
    assert listing.account(2) == ("used 2; left out 6: .txt 2, hidden folders 2, hidden 1, without an ending 1")
    assert listing.account(2, "notes.txt") == (
        "used 2; left out 5: hidden folders 2, .txt 1, hidden 1, without an ending 1"
    )
    assert listing.account(1, broken=1).endswith(
        "left out 7: .txt 2, hidden folders 2, hidden 1, without an ending 1, broken 1"
    )


def test_nothing_left_out_needs_no_words(tmp_path):
    touch(tmp_path, "a.png")
    assert list_files(tmp_path).account(1) == ""


def test_the_rarest_kinds_are_summed(tmp_path):
    touch(tmp_path, "a.png", *(f"{i}.k{i}" for i in range(12)))
    assert list_files(tmp_path).account(1).endswith("others 4")


def test_links_are_followed_and_circles_end(tmp_path):
    touch(tmp_path, "data/a/1.png", "elsewhere/b/2.png", "3.png")
    (tmp_path / "data/b").symlink_to("../elsewhere/b")
    (tmp_path / "data/c.png").symlink_to("../3.png")
    (tmp_path / "data/a/up").symlink_to("..")
    (tmp_path / "data/self").symlink_to("self")
    (tmp_path / "data/gone.png").symlink_to("nowhere.png")
    assert list_files(tmp_path / "data").images == ["a/1.png", "b/2.png", "c.png", "gone.png"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_read(tmp_path):
    touch(tmp_path, "a.png")
    os.mkfifo(tmp_path / "b.png")
    listing = list_files(tmp_path)
    assert listing.images == ["a.png"]
    assert "pipes, sockets and devices 1" in listing.account(1)


def zipped(path, **files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_a_zip_is_a_folder_and_the_folder_around_everything_is_not_a_class(tmp_path):
    names = {"pets/cat/1.png": b"1", "pets/dog/2.png": b"2", "pets/dataset.json": b"{}", "__MACOSX/pets/._1.png": b""}
    listing = list_files(zipped(tmp_path / "x.zip", **names))
    assert listing.images == ["cat/1.png", "dog/2.png"]
    assert dict(listing.others)["dataset.json"] == ".json"
    assert listing.read("dog/2.png") == b"2"


def test_members_have_the_names_that_unpacking_gives_them(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the repeated name
        for name in ("cats\\1.png", "dogs\\2.png", "../dogs/3.png", "/cats/./4.png", "cats/1.png"):
            member = zipfile.ZipInfo("x")
            member.filename = name  # as Windows' tools write it
            archive.writestr(member, name)
    listing = list_files(path)
    assert listing.images == ["cats/1.png", "cats/4.png", "dogs/2.png", "dogs/3.png"]
    assert listing.read("cats/1.png") == b"cats/1.png"
    assert listing.account(4) == "used 4; left out 1: repeated names 1"


def test_a_member_that_python_cannot_unpack_is_refused(tmp_path):
    path = zipped(tmp_path / "x.zip", **{"a.png": b"content"})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\1\2") + 10] = 99  # the method of compression
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"x\.zip: a\.png is packed in an unknown way: unpack it"):
        list_files(path).read("a.png")


def test_a_damaged_member_is_a_broken_image(tmp_path):
    path = zipped(tmp_path / "x.zip", **{"a.png": b"content"})
    path.write_bytes(path.read_bytes().replace(b"content", b"CONTENT", 1))
    assert list_files(path).read("a.png") == b""


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: p / "nowhere", "does not exist: expected a folder or a .zip"),
        (lambda p: (touch(p, "a.tar"), p / "a.tar")[1], "is a file: expected a folder or a .zip"),
        (lambda p: (touch(p, "a.zip"), p / "a.zip")[1], "cannot be read as a zip"),
        (lambda p: p, "is empty. Expected an image file"),
        (lambda p: (touch(p, "a.txt", "b.txt"), p)[1], r"has no image among 2: \.txt 2\. Expected"),
        (lambda p: zipped(p / "a.zip", **{"a.txt": b""}), r"has no image among 1: \.txt 1"),
    ],
)
def test_what_is_no_collection_is_named(tmp_path, make, message):
    with pytest.raises(InputError, match=message):
        list_files(make(tmp_path))


def test_formats_are_those_of_pillow():
    Image.init()
    known = {suffix: format for suffix, format in Image.registered_extensions().items()}
    for format, suffixes in FORMATS.items():
        assert {known.get(suffix) for suffix in suffixes} <= {format, "MPO" if format == "JPEG" else format}
    assert len(set(SUFFIXES)) == len(SUFFIXES)
