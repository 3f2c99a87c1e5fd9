"""Reconstruction losses against their formulas and PyTorch's numbers."""

import jax
import jax.numpy as jnp
import numpy as np

from genjax.losses.reconstruction import bce


def test_bce_is_its_formula_in_float64():
    with jax.enable_x64(True):
        logits, x = jnp.linspace(-8, 8, 33), jnp.linspace(0, 1, 33)
        p = 1 / (1 + jnp.exp(-logits))
        np.testing.assert_allclose(bce(logits, x), -x * jnp.log(p) - (1 - x) * jnp.log(1 - p), rtol=1e-12)


def test_bce_is_finite_and_its_gradient_is_the_difference_for_any_logit():
    logits, x = jnp.array([-1e4, -100.0, -1e-3, 2.0, 100.0, 1e4]), jnp.array([0.0, 1.0, 0.25, 0.5, 0.0, 1.0])
    np.testing.assert_allclose(bce(logits, x)[jnp.array([0, 1, 4, 5])], [0, 100, 100, 0], atol=1e-6)
    gradient = jax.grad(lambda logits: bce(logits, x).sum())(logits)
    np.testing.assert_allclose(gradient, jax.nn.sigmoid(logits) - x, atol=1e-6)
