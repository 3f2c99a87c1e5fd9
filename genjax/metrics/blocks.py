"""Examples in blocks, so that the memory of a metric does not grow with their number or their size."""

from math import prod

NUMBERS = 2**22
"""Numbers of a block: 32 MiB in float64, of which metrics need about ten at once. One example may have more."""


def slices(count, shape, most):
    """Consecutive slices that cover range(count), each of at most `most` examples of this shape and NUMBERS numbers."""
    step = max(1, min(most, NUMBERS // prod(shape)))
    return [slice(start, min(start + step, count)) for start in range(0, count, step)]
