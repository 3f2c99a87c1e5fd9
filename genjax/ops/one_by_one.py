"""A function of one example, applied to a batch with the memory of one example: each device takes its own in turn."""

from collections.abc import Callable

import jax
from jax import Array, lax
from jax.sharding import PartitionSpec

from genjax.ops.shared import DATA


def one_by_one(function: Callable, shared: Array, *batches: Array) -> Array:
    """function(shared, *example) for each example of batches; `jax.vmap`'s result, in less memory.

    The backward pass computes each example again, and keeps only the function's arguments until then.
    Shapes: batches [B, ...] -> [B, ...].
    """
    devices = jax.sharding.get_abstract_mesh().shape.get(DATA, 1)

    def in_turn(shared, *batches):
        return lax.map(jax.checkpoint(lambda example: function(shared, *example)), batches)

    if devices == 1 or len(batches[0]) % devices:
        return in_turn(shared, *batches)
    over_batch = PartitionSpec(DATA)
    specs = PartitionSpec(), *[over_batch] * len(batches)
    return jax.shard_map(in_turn, in_specs=specs, out_specs=over_batch)(shared, *batches)
