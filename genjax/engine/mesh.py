"""One `data` axis over all devices: the state is whole on each, the batch is cut between them."""

import jax
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from genjax.errors import InputError


def make_mesh(devices=None) -> Mesh:
    """The devices (default: all of all processes) in one row. One device is the special case, not another path."""
    devices = jax.devices() if devices is None else devices
    return jax.make_mesh((len(devices),), ("data",), axis_types=(AxisType.Auto,), devices=devices)


def replicated(mesh: Mesh) -> NamedSharding:
    """A copy on each device."""
    return NamedSharding(mesh, PartitionSpec())


def sharded(mesh: Mesh, axis: int) -> NamedSharding:
    """Cut along one axis of an array."""
    return NamedSharding(mesh, PartitionSpec(*[None] * axis, "data"))


def check_batch(batch: int, devices: int) -> None:
    """Refuse a batch that cannot be cut evenly. Raises: InputError."""
    if batch % devices:
        lower, upper = batch // devices * devices, -(-batch // devices) * devices
        choices = " or ".join(str(b) for b in (lower, upper) if b)
        raise InputError(f"batch={batch} does not divide by the {devices} devices: use batch={choices}")
