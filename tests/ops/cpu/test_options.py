"""Options of XLA's CPU compiler: this XLA takes ours, and unknown ones are left out."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.nn import initializers

from genjax.ops.cpu import options


def test_this_xla_takes_every_option():
    assert options.known() == options.OPTIONS
    assert options.known(options.ONCE) == options.ONCE


def test_initial_weights_are_the_same_to_the_bit_with_less_optimization():
    draws = (initializers.normal(), initializers.glorot_uniform(), initializers.lecun_normal(), initializers.zeros)

    def init(key):
        return [draw(jax.random.fold_in(key, i), (33, 40), jnp.float32) for i, draw in enumerate(draws)]

    full, less = (
        jax.jit(init, compiler_options={"xla_backend_optimization_level": level})(jax.random.key(0))
        for level in (3, options.ONCE["xla_backend_optimization_level"])
    )
    for a, b in zip(full, less, strict=True):
        assert np.asarray(a).tobytes() == np.asarray(b).tobytes()


def test_an_option_or_a_value_that_xla_does_not_take_is_left_out():
    unknown = {"xla_cpu_no_such_option": 1, "xla_cpu_experimental_ynn_fusion_type": "no such value"}
    assert options.known(options.OPTIONS | unknown) == {"xla_cpu_prefer_vector_width": 512}
