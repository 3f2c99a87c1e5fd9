"""The GRU begins as TensorFlow's, and a stack's outputs do not depend on later steps."""

import jax
import numpy as np
from helpers import call

from genjax.nets.gru import GRU, GRUStack

RNG = np.random.default_rng(0)


def test_weights_begin_as_in_tensorflow():
    params = GRU(5).init(jax.random.key(0), np.zeros((1, 4, 3)))["params"]
    assert {name: p.shape for name, p in params.items()} == {
        "gates_kernel": (8, 10),
        "gates_bias": (10,),
        "candidate_kernel": (8, 5),
        "candidate_bias": (5,),
    }
    assert (params["gates_bias"] == 1).all()
    assert (params["candidate_bias"] == 0).all()
    assert np.abs(params["gates_kernel"]).max() <= np.sqrt(6 / 18)  # Glorot's bound
    assert np.abs(params["candidate_kernel"]).max() <= np.sqrt(6 / 13)


def test_outputs_do_not_depend_on_later_steps():
    """So that zeros after a series' end are without effect. Values: `tests.tasks.test_timegan`, in NumPy."""
    x = RNG.normal(size=(2, 6, 3)).astype(np.float32)
    net = GRUStack(4, "sigmoid", 5, 2)
    variables = call(net.init, jax.random.key(0), x)
    changed = np.concatenate([x[:, :4], 0 * x[:, 4:]], 1)
    np.testing.assert_array_equal(call(net.apply, variables, x)[:, :4], call(net.apply, variables, changed)[:, :4])
    assert (call(net.apply, variables, x)[:, 4:] != call(net.apply, variables, changed)[:, 4:]).all()
