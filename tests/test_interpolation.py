"""Paths between latents by their closed forms."""

import numpy as np
import pytest

from genjax.errors import InputError
from genjax.interpolation import PATHS, bilinear, lerp, round_trip, slerp

rng = np.random.default_rng(0)
ONE, OTHER = rng.normal(size=(2, 5, 8))
T = np.linspace(0, 1, 7)


@pytest.mark.parametrize("path", PATHS.values())
def test_paths_begin_and_end_at_their_ends(path):
    z = path(ONE[:, None], OTHER[:, None], T)
    assert z.shape == (5, 7, 8)
    np.testing.assert_allclose(z[:, 0], ONE, atol=1e-12)
    np.testing.assert_allclose(z[:, -1], OTHER, atol=1e-12)


def test_slerp_keeps_a_norm_that_both_ends_have_and_turns_at_constant_speed():
    one, other = (3 * z / np.linalg.norm(z, axis=1, keepdims=True) for z in (ONE, OTHER))
    z = slerp(one[:, None], other[:, None], T)
    np.testing.assert_allclose(np.linalg.norm(z, axis=-1), 3)
    angles = np.arccos((z[:, 1:] * z[:, :-1]).sum(-1) / 9)
    np.testing.assert_allclose(angles, np.broadcast_to(angles[:, :1], angles.shape))


def test_slerp_interpolates_lengths_linearly():
    z = slerp([1.0, 0.0], [0.0, 3.0], 0.5)
    np.testing.assert_allclose(z, 2 * np.array([1, 1]) / np.sqrt(2))  # 45 degrees, and halfway from 1 to 3


@pytest.mark.parametrize("other", [[2.0, 0.0], [-1.0, 0.0], [0.0, 0.0]], ids=["parallel", "opposite", "zero"])
def test_slerp_is_straight_where_no_single_circle_joins_the_ends(other):
    z = slerp([1.0, 0.0], other, np.array([0.0, 0.25, 1.0]))
    expected = lerp([1.0, 0.0], other, np.array([0.0, 0.25, 1.0]))
    np.testing.assert_allclose(z, expected, atol=1e-12)


def test_a_bilinear_grid_has_its_corners_and_their_mean_in_the_middle():
    corners = rng.normal(size=(4, 3))
    z = bilinear(corners, 5, 7)
    assert z.shape == (5, 7, 3)
    np.testing.assert_allclose([z[0, 0], z[0, -1], z[-1, 0], z[-1, -1]], corners)
    np.testing.assert_allclose(z[2, 3], corners.mean(0))
    plane = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]])  # the grid is then the positions themselves
    expected = np.stack(np.meshgrid(np.linspace(0, 1, 7), np.linspace(0, 1, 5)), -1)
    np.testing.assert_allclose(bilinear(plane, 5, 7), expected)


def test_a_round_trip_passes_every_station_and_comes_back():
    z = round_trip(ONE, 6)
    assert z.shape == (30, 8)
    np.testing.assert_allclose(z[::6], ONE)
    np.testing.assert_allclose(z[-3], (ONE[-1] + ONE[0]) / 2)  # halfway back to the first
    steps = np.linalg.norm(np.diff(z[:7], axis=0), axis=1)
    assert steps[0] < steps[2]  # slow near a station
    with pytest.raises(InputError, match="a round trip needs at least two stations; got 1"):
        round_trip(ONE[:1], 6)
