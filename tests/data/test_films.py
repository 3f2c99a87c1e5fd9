"""Films: clothes move straight and bounce, windows of frames stay within a film and in order, refusals."""

import numpy as np
import pytest
from PIL import Image

from genjax.data import open_source
from genjax.data.films import FRAMES, LENGTH, bounced, draw
from genjax.data.translation import input_channels
from genjax.errors import InputError


def test_a_place_bounces_off_both_walls():
    path = bounced(np.arange(0.0, 100, 5), 36)
    np.testing.assert_allclose(path[:10], [0, 5, 10, 15, 20, 25, 30, 35, 32, 27])
    assert path.min() >= 0
    assert path.max() <= 36
    np.testing.assert_allclose(bounced(np.array([-3.0]), 36), [3])


def test_frames_are_the_same_two_clothes_at_other_places():
    """Wherever the clothes do not overlap, their pixels stay the same from frame to frame, at most five pixels away."""
    frames = np.stack([draw(number)[..., 0] for number in range(3 * LENGTH, 3 * LENGTH + 4)]).astype(int)
    sums = frames.sum((1, 2))
    assert sums.min() > 0.5 * sums.max()
    centers = [np.array(np.nonzero(frame)).mean(1) for frame in frames]
    steps = np.linalg.norm(np.diff(centers, axis=0), axis=1)
    assert 0 < steps.max() <= 6
    assert (draw(3 * LENGTH) == draw(3 * LENGTH)).all()
    assert (draw(4 * LENGTH) != draw(3 * LENGTH)).any()


def test_held_out_films_are_of_other_clothes():
    source = open_source("moving_clothes", "test[:3]")
    assert (source.shape, source.names) == ((64, 64, 1), ["0500/00", "0500/01", "0500/02"])
    np.testing.assert_array_equal(source.read(np.array([2]))[0], draw(FRAMES["train"] + 2))


def test_pairs_are_four_frames_and_the_next_of_one_film():
    source = open_source("frames:moving_clothes", "train[:60]")
    assert (source.size, source.shape) == (3 * (LENGTH - 4), (64, 64, 5))
    x = source.read(np.array([0, 16]))
    for pair, first in zip(x, (0, LENGTH), strict=True):
        np.testing.assert_array_equal(pair, np.concatenate([draw(first + i) for i in range(5)], -1))
    assert source.names[16] == "0001/04"
    assert input_channels("frames:moving_clothes", 5) == 4
    assert input_channels("frames:folder:x", 15) == 12


def test_a_name_says_how_many_frames_are_before_the_next():
    source = open_source("frames:2:moving_clothes", "train[:20]")
    assert (source.size, source.shape) == (LENGTH - 2, (64, 64, 3))
    np.testing.assert_array_equal(source.read(np.array([5]))[0], np.concatenate([draw(5 + i) for i in range(3)], -1))
    assert source.names[5] == "0000/07"
    assert input_channels("frames:2:moving_clothes", 3) == 2
    assert input_channels("frames:8:folder:x", 27) == 24


def test_frames_of_a_folder_are_in_the_order_of_their_numbers(tmp_path):
    for film, count in (("a", 11), ("b", 3)):
        (tmp_path / film).mkdir()
        for number in range(count):
            Image.fromarray(np.full((4, 4, 3), 10 * number, np.uint8)).save(tmp_path / film / f"{number}.png")
    source = open_source(f"frames:folder:{tmp_path}")
    assert (source.size, source.shape) == (7, (4, 4, 15))
    for pair in range(7):
        values = source.read(np.array([pair]))[0, 0, 0, ::3]
        np.testing.assert_array_equal(values, 10 * (np.arange(5) + int(source.names[pair].split("/")[1][:-4]) - 4))


@pytest.mark.parametrize(
    ("name", "split", "message"),
    [
        ("frames:moving_clothes", "train[:4]", "no film of moving_clothes .* has 5 frames or more"),
        ("frames:0:moving_clothes", "train", "expected 1 or more frames before each, got 0"),
        ("frames:8:moving_clothes", "train[:8]", "has 9 frames or more"),
        ("frames:emoji_64", "test", "emoji_64 has no images with names"),
        ("frames:ring8", "test", "ring8 has no images"),
    ],
)
def test_films_that_are_none_are_refused(name, split, message):
    with pytest.raises(InputError, match=message):
        open_source(name, split)
