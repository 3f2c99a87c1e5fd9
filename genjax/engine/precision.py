"""Mixed precision: nets compute in a shorter type; weights and their updates stay float32."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from genjax.config import pick

DTYPES = {"float32": jnp.float32, "bfloat16": jnp.bfloat16}


def computing_in(dtype: str, apply: Callable) -> Callable:
    """A Linen module's `apply` with its matrix products, convolutions and activations in another type.

    Parameters and inputs are cast on their way in, outputs back to float32; gradients pass the casts, so that the
    optimizer sees float32. Statistics (batch normalization's) are float32 throughout. "float32" is `apply` itself.
    Source: arXiv:1710.03740, section 3.1; bfloat16 has float32's range and needs no loss scaling (arXiv:1905.12322).
    Raises: InputError for a type that is neither "float32" nor "bfloat16".
    """
    short = pick(DTYPES, dtype, "dtype")
    if short == jnp.float32:
        return apply

    def cast(tree, to):
        def cast_leaf(a):
            return a.astype(to) if hasattr(a, "dtype") and jnp.issubdtype(a.dtype, jnp.floating) else a

        return jax.tree.map(cast_leaf, tree)

    def applied(variables, *args, **kwargs):
        params = cast(variables["params"], short)
        return cast(apply({**variables, "params": params}, *cast(args, short), **cast(kwargs, short)), jnp.float32)

    return applied
