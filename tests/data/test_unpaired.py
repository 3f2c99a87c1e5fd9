"""Unpaired sources: every pair once, an order of its own for each set, mirror images; and one class of a source."""

import numpy as np
import pytest

from genjax.data import open_source, positions
from genjax.data.feed import Feed
from genjax.data.images import Form
from genjax.data.mirrored import mirrored
from genjax.data.order import StepOrder, index_of, parts_of, positions_of_pairs
from genjax.data.registry import license_of
from genjax.engine.mesh import make_mesh
from genjax.engine.phase import Phase, ScheduledPhase
from genjax.errors import InputError
from genjax.run.paths import located

CLOTHES = "unpaired:class:Sneaker:fashion_mnist_10k,class:9:fashion_mnist_10k"


@pytest.mark.parametrize("sizes", [(1, 1), (1, 5), (4, 6), (6, 4), (7, 7), (5, 3), (12, 8)])
def test_an_index_is_a_pair_and_the_first_ones_have_all_images(sizes):
    index = np.arange(sizes[0] * sizes[1])
    parts = parts_of(index, sizes)
    assert set(zip(*parts, strict=True)) == {(a, b) for a in range(sizes[0]) for b in range(sizes[1])}
    np.testing.assert_array_equal(index_of(parts, sizes), index)
    assert [len(set(part[: max(sizes)])) for part in parts] == list(sizes)


def test_millions_of_images_have_indices_too():
    sizes = (3_000_001, 2_000_000)
    parts = (np.array([0, 2_999_999, 17]), np.array([1_999_999, 5, 17]))
    np.testing.assert_array_equal(parts_of(index_of(parts, sizes), sizes), parts)


def test_each_set_is_drawn_in_a_shuffled_order_of_its_own():
    sizes = (6, 4)
    a, b = parts_of(positions_of_pairs(3, sizes, 0, 24), sizes)
    np.testing.assert_array_equal(a, positions(3, 6, 0, 24))
    assert all(sorted(epoch) == list(range(4)) for epoch in b.reshape(6, 4))
    assert all(sorted(epoch) == list(range(6)) for epoch in a.reshape(4, 6))
    equal = parts_of(positions_of_pairs(3, (9, 9), 0, 9), (9, 9))
    assert (equal[0] != equal[1]).any()
    order = StepOrder(3, 24, None, batches=1, batch=2, columns=np.arange(2), start=5, first_example=4, parts=sizes)
    np.testing.assert_array_equal(order.indices(7).ravel(), positions_of_pairs(3, sizes, 8, 2))
    assert order.indices(7).dtype == np.int32


def small(split="train[:40]"):
    return open_source("unpaired:class:0:fashion_mnist_10k,class:1:fashion_mnist_10k", split)


def test_images_stand_side_by_side_and_streaming_changes_nothing():
    source = small()
    parts = [open_source(f"class:{label}:fashion_mnist_10k", "train[:40]") for label in (0, 1)]
    assert (source.size, source.parts) == (parts[0].size * parts[1].size, tuple(part.size for part in parts))
    a, b = np.array([1, 0]), np.array([0, 1])
    x = source.read(index_of((a, b), source.parts))
    np.testing.assert_array_equal(x, np.concatenate([parts[0].read(a), parts[1].read(b)], -1))
    phase = ScheduledPhase(Phase("train", 4, 2, None), 0, 0)
    batches = [Feed(source, 1, make_mesh(), limit).batches(phase, 0, 2).take(2) for limit in (1e9, 0)]
    streamed = np.asarray(batches[1]["x"])
    np.testing.assert_array_equal(source.read(np.asarray(batches[0]).ravel()).reshape(streamed.shape), streamed)


def test_each_set_has_its_own_mirror_images():
    source = small()
    twice = mirrored(source)
    assert twice.size == 4 * source.size
    a, b = np.array([1, 1 + source.parts[0], 1]), np.array([0, 0, source.parts[1]])
    x = twice.read(index_of((a, b), twice.parts))
    one = source.read(index_of((np.array([1]), np.array([0])), source.parts))[0]
    np.testing.assert_array_equal(x[0], one)
    np.testing.assert_array_equal(x[1], np.stack([one[:, ::-1, 0], one[..., 1]], -1))
    np.testing.assert_array_equal(x[2], np.stack([one[..., 0], one[:, ::-1, 1]], -1))


def test_a_class_has_its_examples_by_name_and_by_number():
    base = open_source("fashion_mnist_10k", "test")
    by_name, by_number = (open_source(f"class:{label}:fashion_mnist_10k", "test") for label in ("Ankle boot", "9"))
    assert (by_name.labels == 9).all()
    expected = base.read(np.flatnonzero(base.labels == 9)[:5])
    for source in (by_name, by_number):
        np.testing.assert_array_equal(source.read(np.arange(5)), expected)
    assert by_name.fingerprint == by_number.fingerprint != base.fingerprint
    assert license_of(CLOTHES) == license_of("fashion_mnist_10k") != ""


def test_a_path_below_a_class_is_found(tmp_path):
    (tmp_path / "mine").mkdir()
    config = {"data": {"name": "unpaired:class:0:folder:mine,emoji_64"}}
    assert located(config, str(tmp_path)) == {"data.name": f"unpaired:class:0:folder:{tmp_path}/mine,emoji_64"}
    assert located({"task": "unpaired"}, str(tmp_path)) == {}  # a word without a colon is no source


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("unpaired:emoji_64,emoji_32,ring8", "expected two names, unpaired:A,B, got 3"),
        ("unpaired:emoji_64,emoji_32", r"one size with as many channels, got \[64, 64, 3\] and \[32, 32, 3\]"),
        ("unpaired:emoji_32,ring8", "expected two sources of images"),
        ("class:Sandals:fashion_mnist_10k", "no label 'Sandals' .did you mean 'Sandal'.*expected one of T-shirt"),
        ("class:10:fashion_mnist_10k", "no label '10'"),
        ("class:0:shapes_16", "shapes_16 has no labels"),
        ("class:0", "expected class:LABEL:NAME"),
    ],
)
def test_what_does_not_fit_is_refused(name, message):
    with pytest.raises(InputError, match=message):
        open_source(name)


def test_sets_are_brought_to_one_form():
    source = open_source("unpaired:emoji_64,fashion_mnist_10k", form=Form((32, 32), 3, "crop", upscale=True))
    assert source.shape == (32, 32, 6)
