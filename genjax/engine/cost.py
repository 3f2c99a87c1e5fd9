"""The arithmetic and the memory of a program, read off its jaxpr: nothing is compiled, and no device is needed.

Both numbers are those of the program as it is written, one operation after the other. A compiler needs less memory
where it fuses operations into one loop, and more where it reorders them or works on copies.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

from genjax.ops.cpu import onednn

FUSED = {"broadcast_in_dim", "convert_element_type", "copy", "iota", "reshape", "rev", "squeeze", "transpose"}
"""Operations that are fused into the ones that read their results, and take no memory of their own."""


class Cost(NamedTuple):
    """The cost of one call."""

    flops: int  # multiplications and additions of matrix products and convolutions; the most expensive branch counts
    mean_flops: float  # the same, over many steps: a branch that every n-th step takes (step % n == 0) counts as 1/n
    peak: int  # bytes: the largest sum of all results that are alive at one time, arguments not included


def cost(function: Callable, *args: Any) -> Cost:
    """The cost of function(*args); args are arrays, or trees of their shapes and types."""
    program = jax.make_jaxpr(function)(*args)
    return Cost(_flops(program.jaxpr, most=True), _flops(program.jaxpr, most=False), _peak(program.jaxpr))


def inner_programs(eqn) -> Iterator[Jaxpr]:
    """The programs within an operation of a jaxpr."""
    for parameter in eqn.params.values():
        for value in parameter if isinstance(parameter, tuple | list) else (parameter,):
            if isinstance(value, ClosedJaxpr):
                yield value.jaxpr
            elif isinstance(value, Jaxpr):
                yield value


def _flops(jaxpr: Jaxpr, most: bool) -> float:
    makers = {v: eqn for eqn in jaxpr.eqns for v in eqn.outvars}
    return sum(_flops_of(eqn, makers, most) for eqn in jaxpr.eqns)


def _flops_of(eqn, makers: Mapping[Any, Any], most: bool) -> float:
    name = eqn.primitive.name
    params = eqn.params
    if name == "dot_general":
        (contracted, _), _ = params["dimension_numbers"]
        left = eqn.invars[0].aval
        return 2 * eqn.outvars[0].aval.size * math.prod(left.shape[i] for i in contracted)
    if name == "conv_general_dilated":
        kernel = eqn.invars[1].aval
        taps = kernel.size // kernel.shape[params["dimension_numbers"].rhs_spec[0]]
        spread = math.prod(params["lhs_dilation"])  # only one of `spread` factors is not a zero between two pixels
        return 2 * eqn.outvars[0].aval.size * taps // spread
    if name == "ffi_call":
        return onednn.flops(eqn)
    parts = [_flops(jaxpr, most) for jaxpr in inner_programs(eqn)]
    if name == "cond":
        interval = 0 if most else _interval(eqn.invars[0], makers)
        return parts[0] + (parts[1] - parts[0]) / interval if interval else max(parts)
    return params.get("length", 1) * sum(parts)


def _interval(choice, makers: Mapping[Any, Any]) -> int:
    """n of a choice of a branch by `step % n == 0`; 0 for any other."""
    for name in ("convert_element_type", "eq", "jit"):
        eqn = makers.get(choice)
        if eqn is None or eqn.primitive.name != name:
            return 0
        choice = eqn.invars[0]
    n = eqn.invars[1]
    return int(n.val) if eqn.params["name"] == "remainder" and isinstance(n, Literal) else 0


def _peak(jaxpr: Jaxpr) -> int:
    """Bytes of all results that are alive at the worst time."""
    last_read = _last_reads(jaxpr)
    arguments = {*jaxpr.invars, *jaxpr.constvars}
    ending = {}
    for v, place in last_read.items():
        ending.setdefault(place, []).append(v)
    alive = 0
    peak = 0
    for place, eqn in enumerate(jaxpr.eqns):
        results = [] if eqn.primitive.name in FUSED else [v for v in eqn.outvars if last_read.get(v, -1) >= place]
        new = sum(map(_bytes, results))
        peak = max(peak, alive + max([new, *map(_peak, inner_programs(eqn))]))
        alive += new
        alive -= sum(_bytes(v) for v in ending.get(place, ()) if v not in arguments)
    return peak


def _last_reads(jaxpr: Jaxpr) -> dict:
    """The place of the last operation that reads each variable; one past the end for the program's results.

    A read of a fused operation's result is a read of its operand.
    """
    source = {}
    last_read = {}
    for place, eqn in enumerate(jaxpr.eqns):
        reads = [source.get(v, v) for v in eqn.invars if not isinstance(v, Literal)]
        last_read |= dict.fromkeys(reads, place)
        if eqn.primitive.name in FUSED and reads:
            source[eqn.outvars[0]] = reads[0]
    results = (source.get(v, v) for v in jaxpr.outvars if not isinstance(v, Literal))
    return last_read | dict.fromkeys(results, len(jaxpr.eqns))


def _bytes(v) -> int:
    return v.aval.size * v.aval.dtype.itemsize if hasattr(v.aval, "dtype") else 0
