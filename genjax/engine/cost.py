"""What a program costs, read off its jaxpr: nothing is compiled, and no device is asked.

Both numbers are of the program as it is written, one operation after the other. A compiler needs less memory where it
makes one loop of many operations, and more where it reorders them or computes in copies.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

VIEWS = {"broadcast_in_dim", "convert_element_type", "copy", "iota", "reshape", "rev", "squeeze", "transpose"}
"""Operations that are part of what reads their result, and take no memory of their own."""


class Cost(NamedTuple):
    """Of one call."""

    flops: int  # multiplications and additions of matrix products and convolutions; of a branch, the dearer one
    peak: int  # bytes, beyond arguments, of the results that are needed at one time, at the worst of times


def cost(function: Callable, *args: Any) -> Cost:
    """What function(*args) costs, of arrays or their shapes and types."""
    program = jax.make_jaxpr(function)(*args)
    return Cost(_flops(program.jaxpr), _peak(program.jaxpr))


def _inner(eqn) -> Iterator[Jaxpr]:
    """The programs within an operation."""
    for value in eqn.params.values():
        for found in value if isinstance(value, tuple | list) else (value,):
            if isinstance(found, ClosedJaxpr):
                yield found.jaxpr
            elif isinstance(found, Jaxpr):
                yield found


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
        spread = math.prod(params["lhs_dilation"])  # all but each spread-th factor is a zero between two pixels
        return 2 * out.size * kernel.size // kernel.shape[params["dimension_numbers"].rhs_spec[0]] // spread
    found = [_flops(jaxpr) for jaxpr in _inner(eqn)]
    if name == "cond":
        return max(found)
    return params.get("length", 1) * sum(found)


def _peak(jaxpr: Jaxpr) -> int:
    """Bytes of all that is alive at the worst of times, arguments apart."""
    source, last = {}, {}  # what a view is of; where a result is read last
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
