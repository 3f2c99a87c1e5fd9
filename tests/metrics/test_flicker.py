"""Flicker by closed forms: of films that move exactly along a flow, and of films whose light changes."""

import numpy as np

from genjax.metrics.flicker import frame_difference, warping_error

WIDE = np.random.default_rng(0).integers(0, 200, (12, 30, 3))
FRAMES = [np.uint8(WIDE[:, i : i + 20]) for i in (0, 3, 6)]  # everything moves 3 pixels to the left
FLOWS = [np.full((12, 20, 2), (3.0, 0.0), np.float32)] * 2
MASKS = [(np.arange(20) < 17)[None, :, None] * np.ones((12, 1, 1), np.float32)] * 2  # the rest comes into sight


def test_a_film_that_only_moves_differs_and_has_no_warping_error():
    expected = np.abs(np.diff(np.float64(FRAMES), axis=0)).mean() / 255
    np.testing.assert_allclose(frame_difference(FRAMES), expected, rtol=1e-6)
    assert expected > 0.1
    assert warping_error(FRAMES, FLOWS, MASKS) < 1e-6
    assert warping_error(FRAMES, FLOWS, [np.ones_like(MASKS[0])] * 2) > 0.1


def test_a_change_of_light_is_the_warping_error():
    lighter = [FRAMES[0], FRAMES[1] + np.uint8(51), FRAMES[2]]  # up by a fifth of white, and down again
    np.testing.assert_allclose(warping_error(lighter, FLOWS, MASKS), 0.2, rtol=1e-5)
    once = warping_error([FRAMES[0], *lighter[:2]], [0 * FLOWS[0], FLOWS[0]], MASKS)  # in one of two steps
    np.testing.assert_allclose(once, 0.2 / np.sqrt(2), rtol=1e-5)


def test_a_flow_that_is_trusted_nowhere_has_no_error():
    assert np.isnan(warping_error(FRAMES, FLOWS, [0 * MASKS[0]] * 2))
