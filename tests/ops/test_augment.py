"""Each policy of differentiable augmentation against slices, shares and means, example by example."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from genjax.errors import InputError
from genjax.ops.augment import POLICIES, color, cutout, policies

KEY = jax.random.key(5)
X = np.random.default_rng(0).uniform(0.1, 1, (600, 8, 16, 3)).astype(np.float32)


def augmented(name, x):
    return np.asarray(jax.jit(POLICIES[name])(x, KEY))


def shifted(x, down, right):
    """An image moved by slices, zeros coming in."""
    (h, w), y = x.shape[:2], np.zeros_like(x)
    y[max(down, 0) : h + min(down, 0), max(right, 0) : w + min(right, 0)] = x[
        max(-down, 0) : h + min(-down, 0), max(-right, 0) : w + min(-right, 0)
    ]
    return y


def test_a_translation_is_a_shift_by_up_to_an_eighth_with_zeros_and_all_shifts_are_as_likely():
    found = augmented("translation", X)
    counts = np.zeros((3, 5))
    for x, y in zip(X, found, strict=True):
        fits = [(d, r) for d in range(-1, 2) for r in range(-2, 3) if (shifted(x, d, r) == y).all()]
        assert len(fits) == 1
        counts[fits[0][0] + 1, fits[0][1] + 2] += 1
    assert stats.chisquare(counts.ravel()).pvalue > 1e-3


@pytest.mark.heavy
@pytest.mark.parametrize(("side", "most"), [(3, 0), (4, 1), (12, 2), (20, 3), (28, 4), (32, 4)])
def test_an_eighth_is_rounded_with_halves_up_as_in_the_authors_code(side, most):
    """int(side * 0.125 + 0.5): where the one bright row of an image comes to lie."""
    x = np.zeros((200, side, 1, 1), np.float32)
    x[:, side // 2] = 1
    rows = augmented("translation", x)[..., 0, 0].argmax(1) - side // 2
    assert set(rows) == set(range(-most, most + 1))


@pytest.mark.parametrize(("height", "width"), [(8, 16), (7, 9)])
def test_a_cutout_is_a_rectangle_of_half_the_sides_whose_middle_is_anywhere(height, width):
    """Per side: middles as the authors' code draws them, the rectangle cut off at the border."""
    x = np.ones((4000, height, width, 2), np.float32)
    hole = augmented("cutout", x) == 0
    assert (hole[..., 0] == hole[..., 1]).all()
    hole = hole[..., 0]
    rows, columns = hole.any(2), hole.any(1)
    assert (hole == rows[:, :, None] & columns[:, None, :]).all()  # a rectangle
    for covered, side in ((rows, height), (columns, width)):
        size = int(side * 0.5 + 0.5)
        offsets = np.arange(side + (1 - size % 2))
        lengths = [len(np.intersect1d(np.arange(size) + o - size // 2, np.arange(side))) for o in offsets]
        assert abs(covered.sum(1).mean() - np.mean(lengths)) < 4 * np.std(lengths) / np.sqrt(len(x))
        assert set(covered.sum(1)) == set(lengths)


def test_colors_are_moved_scaled_about_gray_and_scaled_about_the_mean():
    """y = m + b + k (s (x - g) + (g - m)) with the brightness b, saturation s and contrast k of the image."""
    found = np.float64(augmented("color", X))
    x = np.float64(X)
    gray, mean = x.mean(3, keepdims=True), x.mean((1, 2, 3), keepdims=True)
    b = found.mean((1, 2, 3)) - mean.ravel()
    new_gray = found.mean(3, keepdims=True)
    inner = lambda a, c: (a * c).sum((1, 2, 3))  # noqa: E731
    k = inner(new_gray - found.mean((1, 2, 3), keepdims=True), gray - mean) / inner(gray - mean, gray - mean)
    ks = inner(found - new_gray, x - gray) / inner(x - gray, x - gray)
    column = lambda a: a[:, None, None, None]  # noqa: E731
    np.testing.assert_allclose(found, mean + column(b) + column(ks) * (x - gray) + column(k) * (gray - mean), atol=1e-5)
    for values, low, high in ((b, -0.5, 0.5), (k, 0.5, 1.5), (ks / k, 0, 2)):
        assert stats.kstest(values, "uniform", (low, high - low)).pvalue > 1e-3
    assert np.abs(np.corrcoef([b, k, ks / k]) - np.eye(3)).max() < 4 / np.sqrt(len(X))


def test_saturation_leaves_a_gray_image_gray():
    x = np.repeat(X[:50, ..., :1], 3, 3)
    found = augmented("color", x)
    np.testing.assert_allclose(found, np.repeat(found[..., :1], 3, 3), atol=1e-6)


@pytest.mark.heavy
@pytest.mark.parametrize("name", POLICIES)
def test_each_example_has_its_own_draw_whatever_the_batch(name):
    same = np.repeat(X[:1], 40, 0)
    found = augmented(name, same)
    assert len(np.unique(found, axis=0)) > 10
    np.testing.assert_allclose(augmented(name, same[:7]), found[:7], rtol=1e-5, atol=1e-6)


@pytest.mark.heavy
@pytest.mark.parametrize("name", POLICIES)
def test_gradients_pass(name):
    with jax.enable_x64(True):
        x = jnp.asarray(X[:3, :4, :4], jnp.float64)
        weight = jnp.asarray(np.random.default_rng(1).normal(size=x.shape))
        loss = jax.jit(lambda x: jnp.sum(weight * jnp.sin(POLICIES[name](x, KEY))))
        direction = jnp.asarray(np.random.default_rng(2).normal(size=x.shape))
        slope = (jax.jit(jax.grad(loss))(x) * direction).sum()
        difference = (loss(x + 1e-6 * direction) - loss(x - 1e-6 * direction)) / 2e-6
        assert abs(float(slope)) > 1e-2
        np.testing.assert_allclose(slope, difference, rtol=1e-6)


def test_a_list_of_policies_is_in_order():
    assert policies("") == ()
    assert policies("cutout, color") == (cutout, color)


@pytest.mark.parametrize(("names", "message"), [("colr", "did you mean 'color'"), ("color,color", "at most once")])
def test_a_list_that_makes_no_sense_is_refused(names, message):
    with pytest.raises(InputError, match=message):
        policies(names)
