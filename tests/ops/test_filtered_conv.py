"""Filtered convolutions in bfloat16 against float64; in float32 they are those of test_equalized and test_modulated."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy_nets import conv, upfirdn

from genjax.ops.filtered_conv import filtered_downsample_conv, filtered_upsample_conv

RNG = np.random.default_rng(0)
TAPS = np.array([1, 3, 3, 1]) / 8


def rounded(x):
    """To bfloat16, in float64."""
    return np.float64(jnp.asarray(x, jnp.bfloat16))


@pytest.mark.parametrize(("kernel", "zeros"), [(3, (2, 2)), (1, (1, 1))])
def test_halving_in_bfloat16_rounds_images_before_and_behind_the_filter(kernel, zeros):
    x, w = (jnp.asarray(RNG.normal(size=size), jnp.float32) for size in ((2, 6, 8, 4), (kernel, kernel, 4, 3)))
    w = w.astype(jnp.bfloat16)
    y, transpose = jax.vjp(filtered_downsample_conv, x, w)
    filtered = rounded(upfirdn(rounded(x), TAPS, pads=zeros))
    expected = conv(filtered, np.float64(w), stride=2, same=False)
    assert [y.dtype, *(g.dtype for g in transpose(y))] == [jnp.float32, jnp.float32, jnp.bfloat16]
    np.testing.assert_allclose(y, expected, rtol=0, atol=2.0**-8 * np.abs(expected).max())


def test_doubling_in_bfloat16_rounds_nothing_behind_the_transposed_convolution():
    x, w = (jnp.asarray(RNG.normal(size=size), jnp.bfloat16) for size in ((2, 4, 3, 4), (3, 3, 4, 3)))
    y = filtered_upsample_conv(x, w)
    assert y.dtype == jnp.float32
    spread = np.zeros((2, 9, 7, 4))
    spread[:, 1::2, 1::2] = np.float64(x)
    spread = rounded(conv(spread, np.float64(w)))
    expected = 4 * upfirdn(spread, TAPS, pads=(1, 1))
    np.testing.assert_allclose(y, expected, rtol=0, atol=2.0**-8 * np.abs(expected).max())
