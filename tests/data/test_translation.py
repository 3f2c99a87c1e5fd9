"""Pairs for translation: inputs by closed forms, partners by name, refusals."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from genjax.data import open_source
from genjax.data.images import Form
from genjax.data.request import Request
from genjax.data.translation import (
    DERIVATIONS,
    center_hole,
    edges,
    free_form_hole,
    input_channels,
    load_aligned,
    shrunk,
)
from genjax.errors import InputError
from genjax.ops.lab import from_srgb

N = np.array([3, 0, 7])


def halves(name, split="test"):
    """Inputs and targets of three examples, and the images that they are derived from."""
    source, base = open_source(name, split), open_source(name.partition(":")[2], split)
    x = source.read(N)
    assert (x.shape[1:], x.dtype, source.size) == (source.shape, source.dtype, base.size)
    return *np.split(x, [input_channels(name, source.shape[-1])], -1), base.read(N)


@pytest.mark.parametrize("kind", DERIVATIONS)
def test_targets_are_the_images_and_inputs_do_not_depend_on_the_order(kind):
    inputs, targets, base = halves(f"{kind}:shapes_32")
    np.testing.assert_array_equal(targets, base)
    one = open_source(f"{kind}:shapes_32", "test").read(N[2:])
    np.testing.assert_array_equal(one[0, ..., : inputs.shape[-1]], inputs[2])


def test_gray_is_pillows_luma():
    inputs, _, base = halves("gray:shapes_32")
    expected = np.stack([np.asarray(Image.fromarray(x).convert("L")) for x in base])
    np.testing.assert_array_equal(inputs[..., 0], expected)


def test_lab_is_the_gray_of_the_same_lightness():
    inputs, _, base = halves("lab:shapes_32")
    lightness = from_srgb(base / 255)[..., :1]
    assert np.abs(from_srgb(inputs.repeat(3, -1) / 255)[..., :1] - lightness).max() < 0.28  # half a level near black


@pytest.mark.parametrize(
    ("name", "factor"), [("small2:shapes_32", 2), ("small4:fashion_mnist_10k", 4), ("small8:shapes_32", 8)]
)
def test_small_inputs_are_means_of_blocks_repeated(name, factor):
    inputs, _, base = halves(name)
    for row in range(0, base.shape[1], factor):
        for column in range(0, base.shape[2], factor):
            block = np.s_[:, row : row + factor, column : column + factor]
            mean = np.floor(base[block].mean((1, 2), keepdims=True) + 0.5)
            np.testing.assert_array_equal(inputs[block], np.broadcast_to(mean, base[block].shape))


def test_labels_stay_and_sources_that_differ_in_number_are_refused():
    source = open_source("small4:fashion_mnist_10k", "test")
    np.testing.assert_array_equal(source.labels, open_source("fashion_mnist_10k", "test").labels)
    both = {"a": replace(source, size=50), "b": source}
    with pytest.raises(InputError, match="50 inputs and 2,000 targets: expected as many of both"):
        load_aligned(Request("aligned:a,b", open=both.get))


def test_a_half_is_rounded_up():
    x = np.uint8([[[1], [2]], [[1], [2]]])[None]
    assert shrunk(x, 2).item() == 2


def test_a_hole_is_gray_in_the_center_and_black_in_the_mask():
    inputs, _, base = halves("hole:shapes_32")
    assert (inputs[:, 8:24, 8:24] == [128, 128, 128, 0]).all()
    known = np.ones((32, 32), bool)
    known[8:24, 8:24] = False
    np.testing.assert_array_equal(inputs[:, known, :3], base[:, known])
    assert (inputs[:, known, 3] == 255).all()
    np.testing.assert_array_equal(center_hole(32, 32), known)
    assert (~center_hole(7, 9)).sum() == 3 * 4


def test_free_form_holes_are_of_their_number_alone():
    holes = np.stack([free_form_hole(24, 32, number) for number in range(50)])
    np.testing.assert_array_equal(free_form_hole(24, 32, 7), holes[7])
    assert len(np.unique(holes, axis=0)) == 50
    shares = (~holes).mean((1, 2))
    assert shares.min() > 0.01
    assert 0.1 < shares.mean() < 0.6
    inputs, _, _ = halves("freeform:shapes_32")
    np.testing.assert_array_equal(inputs[..., 3] == 0, ~np.stack([free_form_hole(32, 32, n) for n in N]))


def test_edges_of_a_step_and_of_a_ramp():
    """Sobel's sums of a step of height h are 4 h in the two columns beside it; of a ramp of slope 3 they are 24."""
    step = np.zeros((1, 5, 6, 1), np.uint8)
    step[:, :, 3:] = 20
    np.testing.assert_array_equal(edges(step)[0, ..., 0], [[255, 255, 175, 175, 255, 255]] * 5)
    ramp = np.broadcast_to(np.uint8(3 * np.arange(6))[:, None, None], (1, 6, 5, 1))
    np.testing.assert_array_equal(edges(ramp)[0, 1:-1, :, 0], 255 - 24)


def write(folder, names, seed=0, size=(6, 4), mode="RGB"):
    folder.mkdir()
    rng = np.random.default_rng(seed)
    for name in names:
        shape = (*size, 3) if mode == "RGB" else size
        Image.fromarray(rng.integers(0, 256, shape, np.uint8)).save(folder / name)
    return folder


def test_folders_are_paired_by_name(tmp_path):
    a, b = write(tmp_path / "a", ["x.png", "y.png", "z.webp"]), write(tmp_path / "b", ["z.png", "x.png", "y.png"], 1)
    source = open_source(f"aligned:folder:{a},folder:{b}")
    assert source.shape == (6, 4, 6)
    assert list(source.names) == ["x.png", "y.png", "z.png"]
    for index, stem in ((0, "x"), (1, "y")):
        expected = [np.asarray(Image.open(folder / f"{stem}.png")) for folder in (a, b)]
        np.testing.assert_array_equal(source.read([index])[0], np.concatenate(expected, -1))


@pytest.mark.parametrize(
    ("other", "options", "message"),
    [
        (["x.png"], {}, "but y is in one of them alone"),
        (["x.png", "y.png", "y.bmp"], {}, "several files named y"),
        (["x.png", "y.png"], {"size": (6, 5)}, r"got \[6, 4, 3\] and \[6, 5, 3\]"),
        (["x.png", "y.png"], {"mode": "L"}, r"got \[6, 4, 3\] and \[6, 4, 1\]: set data.size and data.channels"),
    ],
)
def test_folders_that_do_not_pair_are_refused(other, options, message, tmp_path):
    a, b = write(tmp_path / "a", ["x.png", "y.png"]), write(tmp_path / "b", other, 1, **options)
    with pytest.raises(InputError, match=message):
        open_source(f"aligned:folder:{a},folder:{b}")


@pytest.mark.parametrize(
    ("name", "form", "message"),
    [
        ("gray:fashion_mnist_10k", {}, "expected images in color, but an example of fashion_mnist_10k is"),
        ("small4:shapes_32", {"size": (30, 32)}, "30x32 pixels are no multiple of 4: set data.size"),
        ("hole:ring8", {}, r"an example of ring8 is \[2\]"),
        ("aligned:shapes_32,ring8,ring8", {}, "expected two names, aligned:INPUTS,TARGETS, got 3"),
        ("aligned:shapes_32,ring8", {}, "images of one size with as many channels"),
        ("gray:nothing", {}, "unknown"),
    ],
)
def test_sources_that_make_no_pairs_are_refused(name, form, message):
    with pytest.raises(InputError, match=message):
        open_source(name, form=Form(form.get("size"), 0, "crop"))


def test_the_input_of_other_sources_is_not_known():
    assert input_channels("shapes_32", 3) == 0
    assert input_channels("aligned:a,b", 6) == 3
    assert [input_channels(f"{kind}:x", 4) for kind in ("gray", "hole", "small2")] == [1, 0, 2]
