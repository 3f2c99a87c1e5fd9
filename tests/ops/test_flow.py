"""Warping along flows, against SciPy's interpolation, and where a flow is trusted, on motions that are known."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from genjax import optical_flow
from genjax.ops.flow import consistency, warped


def test_images_are_read_where_the_flow_leads():
    rng = np.random.default_rng(0)
    x, flow = np.float32(rng.random((9, 12, 2))), np.float32(rng.uniform(-4, 4, (9, 12, 2)))
    rows, columns = np.mgrid[:9, :12]
    places = [rows + flow[..., 1], columns + flow[..., 0]]
    expected = np.stack([map_coordinates(x[..., i], places, order=1, mode="nearest") for i in range(2)], -1)
    np.testing.assert_allclose(warped(x, flow), expected, rtol=1e-4, atol=1e-5)


def square_that_moves(by: int):
    """Flows back and forth of a square that moves to the right over a background at rest."""
    back, forth = (np.zeros((40, 40, 2), np.float32) for _ in range(2))
    forth[10:30, 6:26, 0] = by
    back[10:30, 6 + by : 26 + by, 0] = -by
    return back, forth


def test_what_comes_into_sight_is_not_known_and_the_rest_is():
    known = np.asarray(consistency(*square_that_moves(6)))[..., 0]
    assert (known[10:30, 6:12] == 0).all()  # background that the square has covered
    assert (known[12:28, 14:30] == 1).all()  # the square
    assert (known[:8] == 1).all()  # the background
    assert (known[15, [12, 31]] == 0).all()  # edges of the motion


def test_what_was_out_of_the_image_is_not_known():
    back = np.full((20, 20, 2), (-3.0, 2.0), np.float32)
    known = np.asarray(consistency(back, -back))[..., 0]
    assert (known[:, :3] == 0).all()
    assert (known[18:] == 0).all()
    assert (known[:18, 3:] == 1).all()


def test_flows_that_do_not_cancel_are_not_trusted():
    back = np.full((20, 20, 2), (2.0, 0.0), np.float32)
    assert not np.asarray(consistency(back, back)).any()


def test_opencvs_flow_is_that_of_a_moved_texture():
    pytest.importorskip("cv2")
    rng = np.random.default_rng(0)
    texture = np.uint8(rng.integers(0, 256, (20, 20, 3)).repeat(5, 0).repeat(5, 1))
    x, y = texture[10:74, 10:74], texture[12:76, 7:71]  # points of y are 3 to the right, 2 up
    (motion,) = optical_flow.motions([x, y])
    inner = motion.back[10:-10, 10:-10]
    np.testing.assert_allclose(np.median(inner, (0, 1)), (-3, 2), atol=0.1)
    assert motion.known[10:-10, 10:-10].mean() > 0.8
