"""The decoder of AdaIN against plain layers in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from genjax.nets.adain import EDGES, WIDTHS, Decoder, ReflectedConv
from genjax.ops.resample import upsample2x
from genjax.weights.adain import widths_of


@pytest.mark.heavy
def test_an_enlarging_layer_is_enlarge_then_reflect_then_convolve():
    with jax.enable_x64(True):
        x = jnp.asarray(np.random.default_rng(0).normal(size=(2, 5, 6, 3)))
        layer = ReflectedConv(4, enlarges=True)
        variables = jax.tree.map(lambda a: a.astype(float), layer.init(jax.random.key(0), x))
        padded = jnp.pad(upsample2x(x), EDGES, mode="reflect")
        w, b = variables["params"]["kernel"], variables["params"]["bias"] + 0.5
        expected = jax.lax.conv_general_dilated(padded, w, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        variables["params"]["bias"] = b
        np.testing.assert_allclose(layer.apply(variables, x), expected + b, atol=1e-12)


@pytest.mark.heavy
def test_a_decoder_of_four_sizes_enlarges_eightfold_and_its_output_is_unbounded():
    x = jnp.ones((2, 3, 5, 6))
    y, variables = Decoder(((4,), (4, 4), (4,), (4,))).init_with_output(jax.random.key(0), x)
    assert y.shape == (2, 24, 40, 3)
    variables["params"]["pixels"]["bias"] -= 100  # no activation holds the last layer back
    assert (np.asarray(Decoder(((4,), (4, 4), (4,), (4,))).apply(variables, x)) < -1).all()


@pytest.mark.parametrize("widths", [*WIDTHS.values(), ((4,) * 12, (5, 6), (7,))])
def test_the_weights_of_a_decoder_tell_its_widths(widths):
    decoder = jax.eval_shape(Decoder(widths).init, jax.random.key(0), jnp.zeros((1, 4, 4, 3)))
    assert widths_of(decoder["params"]) == widths
