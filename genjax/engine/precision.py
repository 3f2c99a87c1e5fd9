"""The types and the precision in which nets compute; weights and their updates stay in float32."""

import dataclasses
import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp

from genjax.config import pick
from genjax.engine.phase import Phase, Task

DTYPES = {"float32": jnp.float32, "bfloat16": jnp.bfloat16}

PRECISIONS = ("default", "high", "highest")
"""Of products and convolutions of float32 numbers.

On CPU all are float32. On a TPU "default" is one pass in bfloat16 with sums in float32, "high" three passes, and
"highest" six, as exact as float32. On a GPU "default" may be TF32, as "high" is, with 10 bits of a mantissa; "highest"
is float32.
"""


def computing_in(dtype: str, apply: Callable) -> Callable:
    """A Linen module's `apply`, with matrix products, convolutions and activations computed in another type.

    Parameters and inputs are cast before the call and outputs back to float32 after it; gradients pass through the
    casts, so the optimizer receives float32. Batch normalization's statistics are float32 throughout, and on CPU so is
    what follows a convolution, up to the next layer (`ops/conv.py`). For "float32" it is `apply` itself.
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


def multiplying_in(precision: str, task: Task) -> Task:
    """A task whose steps and outputs have products and convolutions of a precision, of PRECISIONS.

    Operations that ask for a precision of their own keep it. Feature nets of metrics always have "highest".
    Raises: InputError for another one.
    """
    if pick(PRECISIONS, precision, "precision") == PRECISIONS[0]:
        return task

    def wrapped(function):
        @functools.wraps(function)
        def call(*args, **kwargs):
            with jax.default_matmul_precision(precision):
                return function(*args, **kwargs)

        return call

    def precise(phase: Phase) -> Phase:
        functions = {name: wrapped(getattr(phase, name)) for name in ("step", "enter", "prepare")}
        return dataclasses.replace(phase, **functions)

    outputs = {name: wrapped(output) for name, output in task.outputs.items()}
    return dataclasses.replace(task, phases=tuple(map(precise, task.phases)), outputs=outputs)


def _cast(tree, dtype):
    """The tree with its floating-point arrays in another type."""

    def cast(leaf):
        floating = hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jnp.floating)
        return leaf.astype(dtype) if floating else leaf

    return jax.tree.map(cast, tree)
