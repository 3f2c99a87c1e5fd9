"""Files and folders that a config names are found from any working folder."""

import pytest
from ml_collections import ConfigDict

from genjax.data.registry import COMPOSED, SOURCES
from genjax.evaluation import nets
from genjax.run.paths import WORDS, located, shortened

DIGEST = "ab" * 32


@pytest.fixture
def made_in(tmp_path, monkeypatch):
    """The folder that a run was made in, which has everything; the working folder is another."""
    folder = tmp_path / "a"
    (folder / "photos").mkdir(parents=True)
    for name in ("x.png", "y.png", "t.csv", "t.json", "v.pth", "i.pth", "x.npy", "both"):
        (folder / name).touch()
    here = tmp_path / "b"
    here.mkdir()
    (here / "here.png").touch()
    (here / "both").touch()
    monkeypatch.chdir(here)
    return folder


NAMES = {
    "folder:photos": "folder:{}/photos",
    "image:x.png": "image:{}/x.png",
    "series:t.csv": "series:{}/t.csv",
    "array:x.npy": "array:{}/x.npy",
    "parquet:photos": "parquet:{}/photos",
    "photos": "{}/photos",
    "pairs:photos,x.png": "pairs:{}/photos,{}/x.png",
    "pairs:folder:photos,image:x.png": "pairs:folder:{}/photos,image:{}/x.png",
    "stacked:folder:photos": "stacked:folder:{}/photos",
    "image:both": "image:{}/both",
    "folder:gone": "folder:{}/gone",
    "image:here.png": "image:here.png",
    "folder:/elsewhere": "folder:/elsewhere",
    "folder:~/photos": "folder:~/photos",
    "fashion_mnist": "fashion_mnist",
    "shapes_32": "shapes_32",
    "tfds:mnist": "tfds:mnist",
    "package.module:photos": "package.module:photos",
}


@pytest.mark.parametrize("name", NAMES)
def test_data_are_found_where_the_run_was_made(name, made_in):
    expected = NAMES[name].replace("{}", str(made_in))
    places = located(ConfigDict({"data": {"name": name, "dir": ""}}), str(made_in))
    assert places.get("data.name", name) == expected


@pytest.mark.parametrize("column", ["", ":size"])
def test_a_table_of_labels_is_found_and_one_beside_the_images_left(column, made_in):
    for name, expected in (("t.csv", f"{made_in}/t.csv"), ("gone.csv", "gone.csv"), ("t.json", f"{made_in}/t.json")):
        places = located({"data": {"labels": name + column}}, str(made_in))
        assert places.get("data.labels", name + column) == expected + column


def test_weights_and_images_are_found_too(made_in):
    config = {
        "data": {"dir": "photos"},
        "encoder": "vgg:v.pth",
        "loss": "both",  # no path, though a file is called so
        "style": {"images": ("x.png", "/y.png"), "masks": ()},
        "eval": {"features": f"squeezenet,inception:i.pth@{DIGEST},classifier:photos"},
    }
    a = str(made_in)
    assert located(config, a) == {
        "data.dir": f"{a}/photos",
        "encoder": f"vgg:{a}/v.pth",
        "style.images": [f"{a}/x.png", "/y.png"],
        "eval.features": f"squeezenet,inception:{a}/i.pth@{DIGEST},classifier:{a}/photos",
    }


@pytest.mark.parametrize("known", [True, False])
def test_a_name_changes_in_the_folder_of_the_run_only_if_nothing_is_there(known, made_in, monkeypatch):
    monkeypatch.chdir(made_in)
    folder = str(made_in) if known else None
    assert located({"data": {"name": "folder:photos"}}, folder) == {}
    assert located({"data": {"name": "folder:gone"}}, folder) == {"data.name": f"folder:{made_in}/gone"}


def test_every_form_of_a_name_that_ends_in_a_path_is_known():
    words = {form.partition(":")[0] for form in nets.FORMS if form.endswith((":FILE", ":RUN"))}
    assert words | {"vgg"} < set(WORDS)
    lists = {record.prefix for record in SOURCES if ":NAME" in record.name}
    assert lists - {"tfds"} == set(COMPOSED)


def test_a_comma_in_a_path_divides_lists_alone(tmp_path):
    for folder in ("my,photos", "a", "b"):
        (tmp_path / folder).mkdir()
    assert located({"data": {"name": "gray:folder:my,photos"}}, str(tmp_path)) == {
        "data.name": f"gray:folder:{tmp_path}/my,photos"
    }
    assert located({"data": {"name": "frames:8:folder:my,photos"}}, str(tmp_path)) == {
        "data.name": f"frames:8:folder:{tmp_path}/my,photos"
    }
    assert located({"data": {"name": "aligned:folder:a,folder:b"}}, str(tmp_path)) == {
        "data.name": f"aligned:folder:{tmp_path}/a,folder:{tmp_path}/b"
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("folder:/home/me/my photos", "folder:my photos"),
        ("/home/me/photos.zip", "photos.zip"),
        ("pairs:/a/b/c,folder:/d/e", "pairs:c,folder:e"),
        (
            "python -m genjax.train --workdir=/tmp/runs/x --config=mine.py",
            "python -m genjax.train --workdir=x --config=mine.py",
        ),
        ("vgg:/w/vgg.npz@" + "0" * 64, "vgg:vgg.npz@" + "0" * 64),
        ("runs/x", "runs/x"),
        ("../x", "../x"),
        ("https://example.org/a/b", "https://example.org/a/b"),
        ("train[:50%]", "train[:50%]"),
        ("T-shirt/top", "T-shirt/top"),
    ],
)
def test_folders_of_the_machine_are_left_out(text, expected):
    assert shortened(text) == expected
