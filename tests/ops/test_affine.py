"""Maps of images against NumPy's own flips, against closed forms, and against SciPy's filters and sampling."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage, signal

from genjax.ops import affine

X = np.random.default_rng(0).uniform(-1, 1, (9, 9, 2))
MAPS = {
    "same": np.eye(3),
    "enlarged": affine.scale(1.3, 1.3),
    "stretched": affine.scale(0.7, 1 / 0.7),
    "turned": affine.turn(np.cos(0.7), np.sin(0.7)),
    "shifted": affine.shift(0.3, -2.6),
    "far": affine.shift(40.2, -31.9),  # beyond several mirror images
    "all": affine.turn(np.cos(2), np.sin(2)) @ affine.scale(1.2, 0.6) @ affine.shift(2.3, 1.1),
}


move, warp = jax.jit(affine.move), jax.jit(affine.warp)


def test_the_filter_is_the_orthogonal_one_of_twelve_taps_and_six_vanishing_moments():
    f = np.array(affine.SYM6)
    np.testing.assert_allclose(np.convolve(f, f[::-1])[1::2], np.eye(11)[5], atol=1e-12)
    np.testing.assert_allclose(f.sum(), np.sqrt(2), rtol=1e-12)
    k = (np.arange(12) - 5.5) / 5.5
    moments = [(f * (-1.0) ** np.arange(12) * k**n).sum() for n in range(6)]
    np.testing.assert_allclose(moments, 0, atol=1e-10)


@pytest.mark.heavy
@pytest.mark.parametrize("side", [2, 8, 9])
def test_flips_quarter_turns_and_whole_shifts_are_exact(side):
    x = np.random.default_rng(1).normal(size=(side, side, 3)).astype(np.float32)
    for matrix, expected in (
        (np.eye(3), x),
        (affine.scale(-1, 1), x[:, ::-1]),
        (affine.scale(1, -1), x[::-1]),
        (affine.turn(0, 1), np.rot90(x, -1)),  # clockwise
        (affine.turn(-1, 0), np.rot90(x, 2)),
        (affine.turn(0, -1), np.rot90(x)),
        (affine.shift(1, 0), np.pad(x, ((0, 0), (1, 0), (0, 0)), "reflect")[:, :side]),
        (affine.shift(0, -1), np.pad(x, ((0, 1), (0, 0), (0, 0)), "reflect")[1:]),
        (affine.scale(-1, 1) @ affine.turn(0, 1), np.rot90(x[:, ::-1], -1)),  # the first is done first
    ):
        np.testing.assert_array_equal(move(x, jnp.asarray(matrix, jnp.float32)), expected)


def by_scipy(x, matrix):
    """Mirror images all round, filtered, sampled and filtered by SciPy: the three steps of `warp`."""
    (height, width), far = x.shape[:2], 64
    middle = np.array([width - 1, height - 1])[:, None, None] / 2
    f = np.array(affine.SYM6)
    x = np.pad(x, ((far, far), (far, far), (0, 0)), "reflect")
    for axis in (0, 1):
        x = signal.upfirdn(f * 2**0.5, x, 2, axis=axis)  # pixel i of the image is at 2 (i + far) + 5
    columns, rows = np.meshgrid(*(np.arange(-5, 2 * n + 5) / 2 - (n - 1) / 2 for n in (width, height)))
    points = (np.einsum("ij,jrc->irc", matrix, [columns, rows, np.ones_like(rows)])[:2] + middle)[::-1]
    x = np.stack([ndimage.map_coordinates(c, 2 * (points + far) + 5, order=1) for c in np.moveaxis(x, 2, 0)], 2)
    for axis in (0, 1):
        x = np.apply_along_axis(np.convolve, axis, x, f[::-1] / 2**0.5, "valid").take(
            2 * np.arange((height, width)[axis]), axis
        )
    return x


@pytest.mark.heavy
@pytest.mark.parametrize("size", [(9, 9), (5, 7)])
@pytest.mark.parametrize("name", MAPS)
def test_a_warp_is_filtering_bilinear_sampling_and_filtering(name, size):
    """Of sizes that no test in float32 has: JAX keeps what it made of a NumPy constant, here the filters."""
    x = X[: size[0], : size[1]]
    with jax.enable_x64(True):
        result = jax.device_get(warp(x, np.float64(MAPS[name])))
    np.testing.assert_allclose(result, by_scipy(x, np.float64(MAPS[name])), atol=1e-9)


def test_flips_half_turns_and_whole_shifts_of_rectangles_are_exact():
    x = np.float32(X[:4, :7])
    for matrix, expected in (
        (affine.turn(-1, 0), x[::-1, ::-1]),
        (affine.scale(-1, 1), x[:, ::-1]),
        (affine.shift(2, 0), np.pad(x, ((0, 0), (2, 0), (0, 0)), "reflect")[:, :7]),
        (affine.shift(0, -5), np.pad(x, ((0, 5), (0, 0), (0, 0)), "reflect")[5:]),
    ):
        np.testing.assert_array_equal(move(x, jnp.asarray(matrix, jnp.float32)), expected)


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["enlarged", "stretched", "turned", "shifted", "far", "all"])
def test_a_smooth_image_appears_where_the_map_points(name):
    """Cosines are their own mirror images, so f(M p) is known everywhere; SciPy's spline knows it within the image.

    The bound is bilinear sampling's, (1/2)^2 / 8 of the second derivatives, and the slope where the filter, whose mean
    is not quite at a pixel, puts the image.
    """
    side = 16

    def f(x, y):
        return np.cos(np.pi * x / (side - 1)) + np.cos(np.pi * y / (side - 1)) / 2

    grid = np.arange(side) - (side - 1) / 2
    columns, rows = np.meshgrid(grid, grid)
    matrix = np.float64(MAPS[name])
    x, y, _ = np.einsum("ij,jrc->irc", matrix, [columns, rows, np.ones_like(rows)]) + (side - 1) / 2
    image = f(*np.meshgrid(np.arange(side), np.arange(side)))
    result = warp(np.float32(image)[..., None], np.float32(matrix))[..., 0]
    lag = np.arange(12) @ affine.SYM6 / 2**0.5 / 2 - 2.5
    assert 0 < lag < 0.05
    aside = np.abs((matrix[:2, :2] - np.eye(2)) @ [lag, lag])
    bound = 1.5 * (np.pi / (side - 1)) ** 2 / 32 + aside @ [1, 0.5] * np.pi / (side - 1) + 1e-5
    np.testing.assert_allclose(result, f(x, y), atol=bound)
    swapped = matrix[[1, 0, 2]][:, [1, 0, 2]]  # SciPy's points are (row, column), from the corner
    offset = swapped[:2, 2] + (side - 1) / 2 - swapped[:2, :2] @ np.full(2, (side - 1) / 2)
    inside = (np.minimum(x, y) > 0) & (np.maximum(x, y) < side - 1)
    bilinear = ndimage.affine_transform(image, swapped[:2, :2], offset, order=1)
    np.testing.assert_allclose(np.where(inside, result, 0), np.where(inside, bilinear, 0), atol=5 * bound)


@pytest.mark.heavy
def test_a_warp_that_changes_nothing_gives_the_image_back_and_whole_shifts_are_shifts():
    """The filter is orthogonal to its shifts by two, which is a pixel."""
    x = np.float32(X[:8])
    np.testing.assert_allclose(warp(x, np.eye(3, dtype=np.float32)), x, atol=1e-6)
    matrix = affine.shift(2, -3)
    np.testing.assert_allclose(warp(x, matrix), move(x, matrix), atol=1e-6)


@pytest.mark.heavy
@pytest.mark.parametrize("how", [affine.move, affine.warp])
def test_both_are_linear_in_the_image_and_their_gradient_is_the_transpose(how):
    with jax.enable_x64(True):
        run = jax.jit(lambda x: how(x, jnp.asarray(MAPS["all"], jnp.float64)))
        y, weight = np.random.default_rng(2).normal(size=(2, *X.shape))
        np.testing.assert_allclose(run(X + 2 * y), run(X) + 2 * run(y), atol=1e-12)
        back = jax.vjp(run, jnp.asarray(X))[1](jnp.asarray(weight))[0]
        np.testing.assert_allclose((back * y).sum(), (weight * run(y)).sum(), rtol=1e-10)
