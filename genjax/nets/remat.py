"""Rematerialization: intermediate values are recomputed in the backward pass, not kept until then."""

from collections.abc import Callable

import flax.linen as nn


def maybe_remat(remat: bool, function: Callable) -> Callable:
    """function(layer, *arrays); if `remat`, the backward pass keeps only its arguments.

    It costs a third more arithmetic and saves most of the memory. Source: arXiv:1604.06174.
    """
    return nn.remat(function) if remat else function
