"""Ways between latents by their closed forms, and where images of them stand."""

import numpy as np
import pytest
from PIL import Image

from genjax.errors import InputError
from genjax.report import interpolation

rng = np.random.default_rng(0)
ONE, OTHER = rng.normal(size=(2, 5, 8))
T = np.linspace(0, 1, 7)


@pytest.mark.parametrize("way", interpolation.WAYS.values())
def test_ways_begin_and_end_where_they_should(way):
    z = way(ONE[:, None], OTHER[:, None], T)
    assert z.shape == (5, 7, 8)
    np.testing.assert_allclose(z[:, 0], ONE, atol=1e-12)
    np.testing.assert_allclose(z[:, -1], OTHER, atol=1e-12)


def test_the_spherical_way_keeps_a_norm_that_both_ends_have_and_turns_evenly():
    one, other = (3 * z / np.linalg.norm(z, axis=1, keepdims=True) for z in (ONE, OTHER))
    z = interpolation.spherical(one[:, None], other[:, None], T)
    np.testing.assert_allclose(np.linalg.norm(z, axis=-1), 3)
    angles = np.arccos((z[:, 1:] * z[:, :-1]).sum(-1) / 9)
    np.testing.assert_allclose(angles, np.broadcast_to(angles[:, :1], angles.shape))


def test_lengths_go_over_linearly_and_right_angles_turn_by_hand():
    z = interpolation.spherical([1.0, 0.0], [0.0, 3.0], 0.5)
    np.testing.assert_allclose(z, 2 * np.array([1, 1]) / np.sqrt(2))  # 45 degrees, and halfway from 1 to 3


@pytest.mark.parametrize("other", [[2.0, 0.0], [-1.0, 0.0], [0.0, 0.0]], ids=["parallel", "opposite", "zero"])
def test_where_no_circle_is_given_the_way_is_straight(other):
    z = interpolation.spherical([1.0, 0.0], other, np.array([0.0, 0.25, 1.0]))
    expected = interpolation.linear([1.0, 0.0], other, np.array([0.0, 0.25, 1.0]))
    np.testing.assert_allclose(z, expected, atol=1e-12)


def test_a_bilinear_grid_has_its_corners_and_their_mean_in_the_middle():
    corners = rng.normal(size=(4, 3))
    z = interpolation.bilinear(corners, 5, 7)
    assert z.shape == (5, 7, 3)
    np.testing.assert_allclose([z[0, 0], z[0, -1], z[-1, 0], z[-1, -1]], corners)
    np.testing.assert_allclose(z[2, 3], corners.mean(0))
    plane = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]])  # of these the grid is the places themselves
    expected = np.stack(np.meshgrid(np.linspace(0, 1, 7), np.linspace(0, 1, 5)), -1)
    np.testing.assert_allclose(interpolation.bilinear(plane, 5, 7), expected)


def test_a_journey_passes_every_station_and_comes_back():
    z = interpolation.journey(ONE, 6)
    assert z.shape == (30, 8)
    np.testing.assert_allclose(z[::6], ONE)
    np.testing.assert_allclose(z[-3], (ONE[-1] + ONE[0]) / 2)  # halfway back to the first
    steps = np.linalg.norm(np.diff(z[:7], axis=0), axis=1)
    assert steps[0] < steps[2]  # it leaves slowly
    with pytest.raises(InputError, match="a journey needs two stations; got 1"):
        interpolation.journey(ONE[:1], 6)


def test_rows_have_the_originals_at_their_ends_behind_a_gap():
    images = np.full((2, 3, 4, 8, 1), 100, np.uint8)
    start, end = np.full((2, 4, 8, 1), 10, np.uint8), np.full((2, 4, 8, 1), 200, np.uint8)
    sheet = np.asarray(interpolation.rows(images, start, end))
    line = sheet[sheet.shape[0] // 4]
    changes = line[np.flatnonzero(np.diff(line.astype(int), prepend=-1))].tolist()
    # White around each image.
    assert changes == [255, 10, 255, 100, 255, 100, 255, 100, 255, 200, 255]
    assert (np.asarray(interpolation.rows(images)) == 100).any()


def test_the_originals_of_corners_stand_beside_them_and_nowhere_else():
    images = np.full((3, 2, 4, 4, 3), 100, np.uint8)
    originals = np.arange(1, 5, dtype=np.uint8)[:, None, None, None] * np.full((4, 4, 3), 10, np.uint8)
    sheet = np.asarray(interpolation.corners(images, originals))
    height, width = sheet.shape[:2]
    left, right, top, bottom = sheet[:, : width // 3], sheet[:, -width // 3 :], slice(0, height // 3), -height // 3
    assert {10, 20, 30, 40} <= set(np.unique(sheet).tolist())
    assert (left[top] == 10).any()
    assert (right[top] == 20).any()
    assert (left[bottom:] == 30).any()
    assert (right[bottom:] == 40).any()


def test_frames_are_grids_in_memory():
    frames = interpolation.frames(np.zeros((3, 4, 8, 8, 1), np.uint8))
    assert len(frames) == 3
    with Image.open(frames[0]) as image:
        assert image.format == "PNG"
