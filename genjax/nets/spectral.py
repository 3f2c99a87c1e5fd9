"""Spectral normalization: a kernel over its largest singular value, which one power step an update follows."""

import jax
import jax.numpy as jnp


def unit(x):
    """A vector brought to length one. Shapes: [N] -> [N]."""
    return x / (jnp.linalg.norm(x) + 1e-12)


def normalized(module, kernel, train: bool):
    """kernel / sigma(kernel), where sigma is v' W u for the vectors of a power iteration, which have no gradient.

    The matrix is the kernel with its last axis (the outputs') against all others. The vector u is in the collection
    "spectral": each call makes one step from it, and a call in training with that collection mutable keeps the result.
    So all calls of one update that leave it alone see one sigma.
    Source: arXiv:1802.05957, algorithm 1, eqs. 6 to 10. Call inside a compact method.
    """
    matrix = kernel.reshape(-1, kernel.shape[-1])
    start = lambda: unit(jax.random.normal(module.make_rng("params"), matrix.shape[1:]))  # noqa: E731
    u = module.variable("spectral", "u", start)
    fixed = jax.lax.stop_gradient(matrix)
    v = unit(fixed @ u.value)
    stepped = unit(v @ fixed)
    if train and module.is_mutable_collection("spectral") and not module.is_initializing():
        u.value = stepped
    return (kernel / (v @ (matrix @ stepped))).astype(kernel.dtype)
