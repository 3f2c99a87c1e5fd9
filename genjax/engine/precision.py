"""Mixed precision: nets compute in a short type; weights and their updates stay in float32."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from genjax.config import pick

DTYPES = {"float32": jnp.float32, "bfloat16": jnp.bfloat16}


def computing_in(dtype: str, apply: Callable) -> Callable:
    """A Linen module's `apply`, with matrix products, convolutions and activations computed in another type.

    Parameters and inputs are cast before the call and outputs back to float32 after it; gradients pass through the
    casts, so the optimizer receives float32. Batch normalization's statistics are float32 throughout. For "float32" it
    is `apply` itself.
    Source: arXiv:1710.03740, section 3.1; bfloat16 has float32's range and needs no loss scaling (arXiv:1905.12322).
    Raises: InputError for a type that is neither "float32" nor "bfloat16".
    """
    short = pick(DTYPES, dtype, "dtype")
    if short == jnp.float32:
        return apply

    def short_apply(variables, *args, **kwargs):
        variables = {**variables, "params": _cast(variables["params"], short)}
        return _cast(apply(variables, *_cast(args, short), **_cast(kwargs, short)), jnp.float32)

    return short_apply


def _cast(tree, dtype):
    """The tree with its floating-point arrays in another type."""

    def cast(leaf):
        floating = hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jnp.floating)
        return leaf.astype(dtype) if floating else leaf

    return jax.tree.map(cast, tree)
