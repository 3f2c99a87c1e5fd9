"""Vector quantization against brute force and its formulas in NumPy's float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from genjax.ops import vector_quantize


def vectors(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def test_the_nearest_code_is_that_of_brute_force():
    z, codes = vectors(0, 3, 5, 4).astype(np.float32), vectors(1, 9, 4).astype(np.float32)
    expected = np.linalg.norm(z[..., None, :].astype(np.float64) - codes, axis=-1).argmin(-1)
    indices = vector_quantize.nearest(z, codes)
    np.testing.assert_array_equal(indices, expected)
    assert indices.dtype == jnp.int32


def test_gradients_pass_straight_through_codes():
    z, codes = jnp.array(vectors(0, 6, 4)), jnp.array(vectors(1, 6, 4))
    np.testing.assert_allclose(vector_quantize.straight_through(z, codes), codes, rtol=1e-5, atol=1e-6)
    _, pull = jax.vjp(vector_quantize.straight_through, z, codes)
    upstream = jnp.array(vectors(2, 6, 4))
    to_z, to_codes = pull(upstream)
    np.testing.assert_array_equal(to_z, upstream)
    np.testing.assert_array_equal(to_codes, 0)


@pytest.mark.heavy
def test_codes_follow_their_vectors_as_the_running_averages_of_the_paper():
    """Over three batches, in float64; one code is never used and stays."""
    count, decay = 5, 0.9
    with jax.enable_x64(True):
        codebook = vector_quantize.init_codebook(jax.random.key(0), count, 3)
        codes, counts, sums = (np.array(a, np.float64) for a in codebook)
        for seed in range(3):
            z, indices = vectors(seed, 40, 3), np.random.default_rng(seed).integers(0, count - 1, 40)
            codebook = vector_quantize.update_codebook(codebook, jnp.array(z), jnp.array(indices), decay)
            for i in range(count):
                counts[i] = decay * counts[i] + (1 - decay) * (indices == i).sum()
                sums[i] = decay * sums[i] + (1 - decay) * z[indices == i].sum(0)
        np.testing.assert_allclose(codebook.counts, counts, rtol=1e-12)
        np.testing.assert_allclose(codebook.sums, sums, rtol=1e-12)
        np.testing.assert_allclose(codebook.codes, sums / counts[:, None], rtol=1e-12)
        np.testing.assert_allclose(codebook.codes[-1], codes[-1], rtol=1e-12)


def test_an_unused_code_does_not_move():
    codebook = vector_quantize.init_codebook(jax.random.key(0), 2, 3)
    after = vector_quantize.update_codebook(codebook, jnp.ones((4, 3)), jnp.zeros(4, int), decay=0.0)
    np.testing.assert_allclose(after.codes[0], 1)
    np.testing.assert_array_equal(after.codes[1], codebook.codes[1])


@pytest.mark.heavy
def test_rarely_used_codes_are_replaced_by_vectors_of_the_batch():
    codes = jnp.array(vectors(0, 4, 3), jnp.float32)
    codebook = vector_quantize.Codebook(codes, jnp.array([5.0, 0.5, 2.0, 0.0]), codes * 5)
    z = jnp.array(vectors(1, 20, 3), jnp.float32)
    after, restarted = vector_quantize.restart(codebook, z, 1.0, jax.random.key(0))
    assert restarted == 2
    for used in (0, 2):
        np.testing.assert_array_equal(after.codes[used], codes[used])
        np.testing.assert_array_equal(after.sums[used], codebook.sums[used])
    for fresh in (1, 3):
        assert (np.asarray(z) == after.codes[fresh]).all(1).any()
        np.testing.assert_allclose(after.sums[fresh] / after.counts[fresh], after.codes[fresh], rtol=1e-6)
    assert vector_quantize.restart(codebook, z, 0.0, jax.random.key(0))[1] == 0


def test_perplexity_is_the_number_of_codes_that_are_used_equally():
    np.testing.assert_allclose(vector_quantize.perplexity(jnp.arange(24) % 8, 8), 8, rtol=1e-6)
    np.testing.assert_allclose(vector_quantize.perplexity(jnp.arange(24) % 4, 8), 4, rtol=1e-6)
    np.testing.assert_allclose(vector_quantize.perplexity(jnp.zeros(24, int), 8), 1, rtol=1e-6)
