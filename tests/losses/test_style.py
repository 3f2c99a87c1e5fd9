"""Style transfer's losses against their papers' formulas, in float64 and in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from genjax.losses.style import content_loss, gram, moments_loss, style_loss, temporal_loss, total_variation


def maps(seed=0, shape=(2, 5, 7, 4)):
    return np.random.default_rng(seed).normal(size=shape)


def test_gram_of_a_map_by_hand():
    x = jnp.array([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 1, 2, 2)  # two positions, two channels
    np.testing.assert_allclose(gram(x)[0], np.array([[1 + 9, 2 + 12], [2 + 12, 4 + 16]]) / 2)


def test_style_is_the_papers_formula_of_sums():
    """E = sum (G - A)^2 / (4 N^2 M^2), where G and A are sums over M positions of products of N channels."""
    x, y = maps(0), maps(1)
    flat_x, flat_y = (a.reshape(2, 35, 4) for a in (x, y))
    difference = np.einsum("bpi,bpj->bij", flat_x, flat_x) - np.einsum("bpi,bpj->bij", flat_y, flat_y)
    expected = np.square(difference).sum((1, 2)) / (4 * 4**2 * 35**2)
    np.testing.assert_allclose(style_loss(gram(x), gram(y)), expected.mean(), rtol=1e-5)


def test_content_is_half_the_mean_square():
    x, y = maps(0), maps(1)
    np.testing.assert_allclose(content_loss(x, y), ((x - y) ** 2).mean() / 2, rtol=1e-6)


def test_a_map_repeated_side_by_side_has_the_same_style():
    """What a style is does not depend on the number of positions."""
    x = maps()
    twice = np.concatenate([x, x], 2)
    np.testing.assert_allclose(gram(twice), gram(x), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(moments_loss(twice, x), 0, atol=1e-10)


def test_a_masked_gram_is_that_of_the_places_of_the_mask():
    x, mask = maps(), np.zeros((5, 7))
    mask[:2] = 1
    np.testing.assert_allclose(gram(x, mask), gram(x[:, :2]), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(gram(x, 0.5 * mask), gram(x, mask), rtol=1e-5, atol=1e-6)  # a mean: its scale is none
    assert not np.asarray(gram(x, 0 * mask)).any()


def test_statistics_are_the_mean_squares_of_two_differences():
    x, y = maps(0), 2 * maps(1) + 1
    expected = np.square(x.mean((1, 2)) - y.mean((1, 2))).mean() + np.square(x.std((1, 2)) - y.std((1, 2))).mean()
    np.testing.assert_allclose(moments_loss(x, y), expected, rtol=1e-4)


@pytest.mark.heavy
@pytest.mark.parametrize("loss", [content_loss, moments_loss, lambda x, y: style_loss(gram(x), gram(y))])
def test_an_image_is_its_own_style_and_content(loss):
    x = maps()
    value, slope = jax.value_and_grad(loss)(x, x)
    assert value < 1e-12  # two orders of one sum may round apart
    np.testing.assert_allclose(slope, 0, atol=1e-6)


def test_a_flat_map_has_finite_slopes():
    """The deviation of a constant has none, but for what is added to its variance."""
    flat = jnp.ones((1, 4, 4, 3))
    assert np.isfinite(jax.grad(moments_loss)(flat, maps(0, (1, 4, 4, 3)))).all()


def test_total_variation_of_stripes():
    stripes = jnp.tile(jnp.array([-1.0, 1.0]), 3)[None, None, :, None] * jnp.ones((1, 4, 6, 2))
    assert total_variation(stripes) == 4  # 2 squared across, nothing down
    assert total_variation(stripes.swapaxes(1, 2)) == 4
    assert total_variation(jnp.ones((1, 4, 4, 3))) == 0


def test_temporal_is_a_mean_over_all_pixels_of_the_squares_where_the_last_frame_is_known():
    x, y = maps(0)[0], maps(1)[0]
    known = np.zeros((5, 7, 1))
    known[:2, 3:] = 1
    np.testing.assert_allclose(temporal_loss(x, y, known), np.square(x - y)[:2, 3:].sum() / x.size, rtol=1e-5)
