"""Per-example noise belongs to its example; hashed masks pass the tests that random bits pass."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from genjax.ops import noise


@pytest.mark.heavy
@pytest.mark.parametrize("draw", [noise.normal, noise.uniform])
def test_an_examples_noise_does_not_depend_on_the_batch_size(draw):
    key = jax.random.key(3)
    np.testing.assert_array_equal(draw(key, 5, (4,)), draw(key, 12, (4,))[:5])


def test_normal_noise_is_normal_and_independent_across_examples():
    z = np.asarray(noise.normal(jax.random.key(0), 2000, (16,)))
    assert stats.kstest(z.ravel(), "norm").pvalue > 1e-3
    neighbors = np.corrcoef(z[:-1].ravel(), z[1:].ravel())[0, 1]
    assert abs(neighbors) < 4 / np.sqrt(z.size)  # four standard errors


def test_a_mask_does_not_depend_on_the_batch_size():
    key = jax.random.key(1)
    np.testing.assert_array_equal(noise.bits(key, (3, 7, 5)), noise.bits(key, (9, 7, 5))[:3])


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.6, 0.999])
def test_a_mask_has_its_probability(probability):
    shape = (64, 14, 14, 64)
    kept = int(noise.bernoulli(jax.random.key(7), probability, shape).sum())
    assert stats.binomtest(kept, int(np.prod(shape)), probability).pvalue > 1e-3


def test_every_bit_is_fair_and_bytes_are_uniform():
    words = np.asarray(noise.bits(jax.random.key(2), (500_000,)))
    for bit in range(32):
        ones = int(((words >> bit) & 1).sum())
        assert stats.binomtest(ones, len(words)).pvalue > 1e-4
    for shift in (0, 8, 16, 24):
        assert stats.chisquare(np.bincount((words >> shift) & 255, minlength=256)).pvalue > 1e-3


def test_masks_of_neighboring_elements_steps_and_keys_are_independent():
    root = jax.random.key(0)
    masks = [np.asarray(noise.bernoulli(jax.random.fold_in(root, step), 0.6, (200_000,))) for step in range(6)]
    bound = 4.5 / np.sqrt(200_000)
    for lag in (1, 2, 14, 64, 196, 12_544):  # columns, rows, channels, examples of typical maps
        assert abs(np.corrcoef(masks[0][:-lag], masks[0][lag:])[0, 1]) < bound
    for first in range(6):
        for second in range(first):
            assert abs(np.corrcoef(masks[first], masks[second])[0, 1]) < bound


def test_runs_of_a_mask_are_as_long_as_those_of_a_fair_coin():
    coins = np.asarray(noise.bernoulli(jax.random.key(5), 0.5, (200_000,)))
    runs = 1 + int((coins[1:] != coins[:-1]).sum())  # Wald and Wolfowitz: about normal with these moments
    ones, zeros = int(coins.sum()), int((~coins).sum())
    mean = 1 + 2 * ones * zeros / (ones + zeros)
    variance = (mean - 1) * (mean - 2) / (ones + zeros - 1)
    assert abs(runs - mean) < 4 * np.sqrt(variance)


@pytest.mark.heavy
def test_certain_and_impossible_events():
    assert noise.bernoulli(jax.random.key(0), 1.0, (100,)).all()
    assert not noise.bernoulli(jax.random.key(0), 0.0, (100,)).any()
    assert noise.bits(jax.random.key(0), (2, 3)).dtype == jnp.uint32


@pytest.mark.heavy
def test_a_seeds_noise_is_the_seeds_alone_and_truncation_bounds_it():
    together, alone = noise.of_seeds(jnp.array([7, 3, 9]), (50,)), noise.of_seeds(jnp.array([9]), (50,))
    np.testing.assert_array_equal(together[2:], alone)
    assert np.abs(noise.of_seeds(jnp.arange(9), (50,), truncation=0.5)).max() <= 0.5


@pytest.mark.heavy
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_keys_of_content_depend_on_the_example_and_not_on_its_position(dtype):
    x = np.random.default_rng(0).integers(0, 256, (2000, 3, 3, 1)).astype(dtype)
    keys = jax.random.key_data(noise.keys_of_content(jax.random.key(0), jnp.asarray(x)))
    np.testing.assert_array_equal(jax.random.key_data(noise.keys_of_content(jax.random.key(0), x[5:7])), keys[5:7])
    assert len(np.unique(keys, axis=0)) == len(np.unique(x, axis=0)) == 2000
    darker = x.copy()
    darker[:, 0, 0] //= 2
    changed = (darker != x).any((1, 2, 3))
    other = jax.random.key_data(noise.keys_of_content(jax.random.key(0), jnp.asarray(darker)))
    assert (other != keys).any(1)[changed].all()
