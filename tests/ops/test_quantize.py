"""Vector quantization against brute force and its formulas in NumPy's float64."""

import jax
import jax.numpy as jnp
import numpy as np

from genjax.ops import quantize


def vectors(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def test_the_nearest_code_is_brute_forces():
    z, codes = vectors(0, 3, 5, 4).astype(np.float32), vectors(1, 9, 4).astype(np.float32)
    expected = np.linalg.norm(z[..., None, :].astype(np.float64) - codes, axis=-1).argmin(-1)
    found = quantize.nearest(z, codes)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == jnp.int32


def test_gradients_pass_codes_straight_and_values_do_not():
    z, codes = jnp.array(vectors(0, 6, 4)), jnp.array(vectors(1, 6, 4))
    np.testing.assert_allclose(quantize.straight_through(z, codes), codes, rtol=1e-5, atol=1e-6)
    _, pull = jax.vjp(quantize.straight_through, z, codes)
    upstream = jnp.array(vectors(2, 6, 4))
    to_z, to_codes = pull(upstream)
    np.testing.assert_array_equal(to_z, upstream)
    np.testing.assert_array_equal(to_codes, 0)


def test_codes_follow_their_vectors_as_the_running_averages_of_the_paper():
    """Over three batches, in float64; one code is never used and stays."""
    count, decay = 5, 0.9
    with jax.enable_x64(True):
        book = quantize.init_codebook(jax.random.key(0), count, 3)
        codes, counts, sums = (np.array(a, np.float64) for a in book)
        for seed in range(3):
            z, numbers = vectors(seed, 40, 3), np.random.default_rng(seed).integers(0, count - 1, 40)
            book = quantize.ema_update(book, jnp.array(z), jnp.array(numbers), decay)
            for i in range(count):
                counts[i] = decay * counts[i] + (1 - decay) * (numbers == i).sum()
                sums[i] = decay * sums[i] + (1 - decay) * z[numbers == i].sum(0)
        np.testing.assert_allclose(book.counts, counts, rtol=1e-12)
        np.testing.assert_allclose(book.sums, sums, rtol=1e-12)
        np.testing.assert_allclose(book.codes, sums / counts[:, None], rtol=1e-12)
        np.testing.assert_allclose(book.codes[-1], codes[-1], rtol=1e-12)


def test_a_code_with_nothing_behind_it_stays_finite_and_where_it_was():
    book = quantize.init_codebook(jax.random.key(0), 2, 3)
    after = quantize.ema_update(book, jnp.ones((4, 3)), jnp.zeros(4, int), decay=0.0)
    np.testing.assert_allclose(after.codes[0], 1)
    np.testing.assert_array_equal(after.codes[1], book.codes[1])


def test_dead_codes_begin_anew_at_vectors_of_the_batch_and_the_living_stay():
    codes = jnp.array(vectors(0, 4, 3), jnp.float32)
    book = quantize.Codebook(codes, jnp.array([5.0, 0.5, 2.0, 0.0]), codes * 5)
    z = jnp.array(vectors(1, 20, 3), jnp.float32)
    after, restarted = quantize.restart(book, z, 1.0, jax.random.key(0))
    assert restarted == 2
    for kept in (0, 2):
        np.testing.assert_array_equal(after.codes[kept], codes[kept])
        np.testing.assert_array_equal(after.sums[kept], book.sums[kept])
    for fresh in (1, 3):
        assert (np.asarray(z) == after.codes[fresh]).all(1).any()
        np.testing.assert_allclose(after.sums[fresh] / after.counts[fresh], after.codes[fresh], rtol=1e-6)
    assert quantize.restart(book, z, 0.0, jax.random.key(0))[1] == 0


def test_perplexity_counts_codes_that_are_used_alike():
    np.testing.assert_allclose(quantize.perplexity(jnp.arange(24) % 8, 8), 8, rtol=1e-6)
    np.testing.assert_allclose(quantize.perplexity(jnp.arange(24) % 4, 8), 4, rtol=1e-6)
    np.testing.assert_allclose(quantize.perplexity(jnp.zeros(24, int), 8), 1, rtol=1e-6)
