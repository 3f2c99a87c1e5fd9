"""Spectral normalization: a kernel divided by its largest singular value, by one power iteration step per update."""

import jax
import jax.numpy as jnp


def unit(x):
    """A vector scaled to length one. Shapes: [N] -> [N]."""
    return x / (jnp.linalg.norm(x) + 1e-12)


def normalized(module, kernel, train: bool):
    """kernel / sigma(kernel), where sigma is v' W u for the vectors of a power iteration, which have no gradient.

    W is the kernel as a matrix whose columns are the outputs. The vector u is in the collection "spectral": each call
    makes one step from it, and a call in training with that collection mutable stores the result. Calls that do not
    mutate the collection share the same sigma.
    Source: arXiv:1802.05957, algorithm 1, eqs. 6 to 10. Call it inside a compact method.
    """
    matrix = kernel.reshape(-1, kernel.shape[-1])

    def first_vector():
        return unit(jax.random.normal(module.make_rng("params"), matrix.shape[1:]))

    u = module.variable("spectral", "u", first_vector)
    fixed = jax.lax.stop_gradient(matrix)
    v = unit(fixed @ u.value)
    stepped = unit(v @ fixed)
    if train and module.is_mutable_collection("spectral") and not module.is_initializing():
        u.value = stepped
    return (kernel / (v @ (matrix @ stepped))).astype(kernel.dtype)
