"""The cost of a program, read off its jaxpr without compiling it.

Both numbers assume that operations run one after the other, as written. A compiler needs less memory where it fuses
operations, and more where it reorders them or computes in copies.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

VIEWS = {"broadcast_in_dim", "convert_element_type", "copy", "iota", "reshape", "rev", "squeeze", "transpose"}
"""Operations that are fused into the reader of their result and take no memory of their own."""


class Cost(NamedTuple):
    """The cost of one call."""

    flops: int  # multiplications and additions of matrix products and convolutions; the dearer side of a branch
    peak: int  # largest number of bytes of results that are alive at one time, arguments excluded


def cost(function: Callable, *args: Any) -> Cost:
    """The cost of function(*args); arguments are arrays, or their shapes and types."""
    program = jax.make_jaxpr(function)(*args)
    return Cost(_flops(program.jaxpr), _peak(program.jaxpr))


def _inner(eqn) -> Iterator[Jaxpr]:
    """The jaxprs within an operation."""
    for value in eqn.params.values():
        for item in value if isinstance(value, tuple | list) else (value,):
            if isinstance(item, ClosedJaxpr):
                yield item.jaxpr
            elif isinstance(item, Jaxpr):
                yield item


def _flops(jaxpr: Jaxpr) -> int:
    return sum(_flops_of(eqn) for eqn in jaxpr.eqns)


def _flops_of(eqn) -> int:
    name, params = eqn.primitive.name, eqn.params
    if name == "dot_general":
        (contracted, _), _ = params["dimension_numbers"]
        (left, _), (out,) = (v.aval for v in eqn.invars), (v.aval for v in eqn.outvars)
        return 2 * out.size * math.prod(left.shape[i] for i in contracted)
    if name == "conv_general_dilated":
        kernel, (out,) = eqn.invars[1].aval, (v.aval for v in eqn.outvars)
        dilation = math.prod(params["lhs_dilation"])  # only one in `dilation` factors is not a zero between pixels
        return 2 * out.size * kernel.size // kernel.shape[params["dimension_numbers"].rhs_spec[0]] // dilation
    inner = [_flops(jaxpr) for jaxpr in _inner(eqn)]
    if name == "cond":
        return max(inner)
    return params.get("length", 1) * sum(inner)


def _peak(jaxpr: Jaxpr) -> int:
    """The largest number of bytes that are alive at one time, arguments excluded."""
    source = {}  # view -> the result that it shows
    last = {}  # result -> the place where it is read last
    arguments = {*jaxpr.invars, *jaxpr.constvars}
    for place, eqn in enumerate(jaxpr.eqns):
        reads = [source.get(v, v) for v in eqn.invars if not isinstance(v, Literal)]
        last |= dict.fromkeys(reads, place)
        if eqn.primitive.name in VIEWS and reads:
            source[eqn.outvars[0]] = reads[0]
    last |= dict.fromkeys((source.get(v, v) for v in jaxpr.outvars if not isinstance(v, Literal)), len(jaxpr.eqns))
    ends = {}
    for v, place in last.items():
        ends.setdefault(place, []).append(v)
    alive, peak = 0, 0
    for place, eqn in enumerate(jaxpr.eqns):
        new = 0 if eqn.primitive.name in VIEWS else sum(_bytes(v) for v in eqn.outvars if last.get(v, -1) >= place)
        peak = max(peak, alive + max([new, *map(_peak, _inner(eqn))]))
        alive += new
        alive -= sum(_bytes(v) for v in ends.get(place, ()) if v not in arguments)
    return peak


def _bytes(v) -> int:
    aval = v.aval
    return aval.size * aval.dtype.itemsize if hasattr(aval, "dtype") else 0
