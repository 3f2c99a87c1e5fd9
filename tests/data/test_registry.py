"""The table of data sources: names, documentation, and sources outside the package."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import ROOT, run

from genjax import data
from genjax.data import registry
from genjax.data.__main__ import BEGIN, END, with_table
from genjax.data.source import check
from genjax.data.translation import DERIVATIONS
from genjax.errors import InputError
from genjax.extensions import digests

EXAMPLES = {
    "shapes_SIDE": "shapes_16",
    "textures_SIDE": "textures_16",
    "stacked:NAME": "stacked:fashion_mnist_10k",
    "pairs:NAME,NAME": "pairs:emoji_32,shapes_32",
    "aligned:NAME,NAME": "aligned:emoji_32,emoji_32",
    "unpaired:NAME,NAME": "unpaired:emoji_32,shapes_32",
    "oracle_COUNTxSTEPS": "oracle_9x4",
    "frames:NAME": "frames:moving_clothes",
    "class:LABEL:NAME": "class:Sandal:fashion_mnist_10k",
    **{f"{kind}:NAME": f"{kind}:emoji_32" for kind in DERIVATIONS},
}
ELSEWHERE = (
    "folder:PATH",
    "image:FILE",
    "array:FILE",
    "parquet:PATH",
    "packed:PATH",
    "series:PATH",
    "windows:PATH",
    "wav:PATH",
    "oracle:FILE",
    "tfds:NAME",
    "fashion_mnist",
)  # need files: own test files

SPIRALS = '''
import numpy as np
from genjax import data

SIZES = {"train": 40, "test": 9}

def spirals(request):
    """Points of a spiral with their turn as a label."""
    x, labels = data.read_splits(request.split, SIZES, draw)
    return data.in_memory("unnamed", "", x, labels, ["first", "second"])

def draw(split):
    t = np.linspace(0, 2, SIZES[split], endpoint=False, dtype=np.float32)
    return np.stack([t * np.cos(t), t * np.sin(t)], 1), t.astype(np.int32)

def gray(request):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (20, 8, 8, 1), np.uint8)
    return data.in_memory(request.name, request.split, x, np.arange(20) % 10)

record = data.SourceRecord("spirals", spirals, "points of a spiral", "train, test", "turns", "none")

def doubles(request):
    return data.in_memory(request.name, request.split, np.zeros((4, 2)), None)

def nothing(request):
    return None

number = 3
'''


@pytest.fixture
def spirals(tmp_path, monkeypatch):
    """A module of somebody else's, in the working folder."""
    (tmp_path / "spirals_of_a_user.py").write_text(SPIRALS)
    monkeypatch.chdir(tmp_path)
    yield "spirals_of_a_user"
    sys.modules.pop("spirals_of_a_user", None)


@pytest.mark.heavy
@pytest.mark.parametrize("record", [r for r in data.SOURCES if r.name not in ELSEWHERE], ids=lambda record: record.name)
def test_sources_keep_their_contract_and_their_record(record):
    name = EXAMPLES.get(record.name, record.name)
    if ":" in name:
        check(data.open_source(name))
        return
    for split in record.splits.split(", "):
        split, _, size = split.partition(" ")
        source = data.open_source(name, split)
        check(source)
        assert (source.name, source.split, source.size) == (name, split, int(size.replace(",", "")))
        assert (source.labels is None) == (record.labels == "none")
        if source.label_names and record.labels[0].isdigit():
            assert record.labels.startswith(f"{len(source.label_names)} ")
    with pytest.raises(data.NoSuchSplit, match=r"no split 'valid'; choose from train, test"):
        data.open_source(name, "valid")


def test_every_record_matches_its_own_names_only():
    names = [EXAMPLES.get(r.name, r.name) for r in data.SOURCES]
    for record, name in zip(data.SOURCES, names, strict=True):
        assert registry.match(name) is record
        assert [r.matches(name) for r in data.SOURCES].count(True) == 1


@pytest.mark.parametrize(
    ("name", "key"), [("emoji_32", "labels"), ("emoji_32", "range"), ("ring8", "range"), ("shapes_16", "labels")]
)
def test_keys_that_a_source_does_not_read_are_refused(name, key):
    config = {"name": name, "split": "train", "size": "", "channels": 0, "resize": "crop", key: "0,1"}
    with pytest.raises(InputError, match=rf"data\.{key}.* is for .*leave it unset for {name}"):
        data.load(SimpleNamespace(**config))


def test_every_loader_exists():
    assert all(callable(registry._import_loader(record)) for record in data.SOURCES)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ring9", r"data.name 'ring9' is unknown \(did you mean 'ring8'\?\): choose from fashion_mnist_10k,.*arc3d"),
        ("shapes_big", "is unknown"),
        ("folder:", "data.name 'folder:' is incomplete: expected folder:PATH"),
        ("pairs:emoji_32", "is incomplete: expected pairs:NAME,NAME"),
        ("pairs:a,b,c", "expected two names, pairs:NAME,NAME, got 3"),
        ("foldr:cats", r"the module foldr cannot be imported .*\(did you mean 'folder'\?\)"),
        ("stacked:nothing", "data.name 'nothing' is unknown"),
        ("a/nowhere", "a/nowhere: no such file or folder; expected a folder, an image, or a file that ends in .zip"),
        ("photo.JPG", r"photo\.JPG: no such file or folder"),
        (__file__, r"test_registry\.py is of a kind that is not read: expected a folder, an image"),
        *(
            (f"{kind}:{'x' * 300}.npz", "cannot be opened: File name too long")
            for kind in ("array", "folder", "series")
        ),
        ("x" * 300, "is unknown"),
    ],
)
def test_names_that_open_nothing_are_explained(name, message):
    with pytest.raises(InputError, match=message):
        data.open_source(name)


def test_the_page_has_the_current_table():
    text = (ROOT / "docs" / "data.md").read_text("utf-8")
    assert with_table(text) == text, "run: python -m genjax.data --write docs/data.md"
    assert all(f"`{record.name}`" in text for record in data.SOURCES)


def test_the_table_is_written_between_the_markers_alone(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    assert run("genjax.data", "--write", page).code == 0
    text = page.read_text()
    assert text.startswith(f"before\n{BEGIN}\n\n| Name |")
    assert text.endswith(f"|\n\n{END}\nafter\n")
    page.write_text("no markers")
    done = run("genjax.data", "--write", page)
    assert done.code == 1
    assert "expected a page with the lines" in done.err


# -- sources outside the package


@pytest.mark.parametrize("attribute", ["spirals", "record"])
def test_a_source_of_another_module_is_as_good_as_ours(spirals, attribute):
    name = f"{spirals}:{attribute}"
    source = data.open_source(name, "train[10:]")
    assert (source.name, source.split, source.size, source.shape) == (name, "train[10:]", 30, (2,))
    assert data.is_source(name)
    assert data.open_source(name, "test").fingerprint != source.fingerprint
    with pytest.raises(data.NoSuchSplit):
        data.open_source(name, "valid")


def test_the_example_of_the_page_is_a_source(tmp_path, monkeypatch):
    page = (ROOT / "docs" / "data.md").read_text("utf-8")
    (tmp_path / "example_of_the_page.py").write_text(page.partition("```python\n")[2].partition("```")[0])
    monkeypatch.chdir(tmp_path)
    source = data.open_source("example_of_the_page:moons", "test")
    assert (source.size, source.shape, source.label_names) == (1000, (2,), ("upper", "lower"))
    x = source.read(np.arange(1000))
    upper = source.labels == 0
    np.testing.assert_allclose(np.linalg.norm(x[upper], axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(x[~upper] - [1, 0.5], axis=1), 1, atol=1e-6)


def test_sources_of_ours_build_on_those_of_another_module_and_its_digest_is_recorded(spirals):
    name = f"stacked:{spirals}:gray"
    assert data.open_source(name).shape == (8, 8, 3)
    pair = f"pairs:{spirals}:gray,{spirals}:spirals"
    recorded = digests({"data": {"name": name}, "other": {"name": pair}})
    assert recorded.keys() == {f"{spirals}:gray", f"{spirals}:spirals"}


@pytest.mark.parametrize(
    ("attribute", "message"),
    [
        ("doubles", r"examples are float64 \[2\]: expected images uint8 or uint16 \(H, W, C\), points float32"),
        ("nothing", "expected a genjax.data.Source, got NoneType"),
        ("number", "expected a function of a genjax.data.Request .*, got int"),
        ("spirls", r"has no 'spirls' \(did you mean 'spirals'\?\)"),
    ],
)
def test_what_is_no_source_is_refused(spirals, attribute, message):
    with pytest.raises(InputError, match=message):
        data.open_source(f"{spirals}:{attribute}")


# -- the contract


def changed(**fields):
    from dataclasses import replace

    labels = np.array([0, 1, 1], np.int32)
    return replace(data.in_memory("x", "train", np.zeros((3, 4, 4, 1), np.uint8), labels, ["a", "b"]), **fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"size": 0}, "size is 0"),
        ({"shape": [4, 4, 1]}, r"shape is \[4, 4, 1\]: expected a tuple"),
        ({"shape": (4, 4)}, r"examples are uint8 \[4, 4\]"),
        ({"dtype": np.dtype(np.float32)}, r"examples are float32 \[4, 4, 1\]"),
        ({"labels": np.zeros(3)}, r"labels are float64 \[3\]: expected None or a NumPy array, int32 \[3\]"),
        ({"labels": np.zeros(2, np.int32)}, r"labels are int32 \[2\]"),
        ({"labels": [0, 1, 1]}, "labels are list"),
        ({"labels": np.array([0, 1, 2], np.int32)}, "labels go from 0 to 2: expected whole numbers from 0 to 1"),
        ({"labels": np.array([0, 1, -1], np.int32), "label_names": ()}, "labels go from -1 to 1"),
        ({"fingerprint": ""}, "fingerprint is ''"),
        ({"read": lambda indices: np.zeros((4, 4, 1), np.uint8)}, r"read\(\[0\]\) gives uint8 \[4, 4, 1\]"),
        ({"read": lambda indices: np.zeros((1, 4, 4, 1))}, r"gives float64 \[1, 4, 4, 1\]: expected uint8"),
    ],
)
def test_a_source_that_breaks_the_contract_is_refused(fields, message):
    check(changed())
    with pytest.raises(InputError, match=message):
        check(changed(**fields))


@pytest.mark.parametrize(
    ("name", "license"),
    [
        ("fashion_mnist_10k", "MIT, Zalando SE"),
        ("ring8", "none"),
        ("stacked:fashion_mnist", "MIT, Zalando SE"),
        ("pairs:emoji_64,textures_64", "Apache-2.0, Google; none"),
        ("pairs:emoji_64,folder:mine", ""),
        ("folder:mine", ""),
        ("tfds:mnist", ""),
        ("mine.module:data", ""),
    ],
)
def test_a_license_is_known_or_not(name, license):
    assert registry.license_of(name) == license
