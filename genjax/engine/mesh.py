"""One `data` axis over all devices: the state is replicated, the batch is sharded."""

import jax
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from genjax.errors import InputError
from genjax.ops.shared import DATA


def make_mesh(devices=None) -> Mesh:
    """A mesh of the devices (default: all of all processes). One device is a mesh of one, not a path of its own."""
    devices = jax.devices() if devices is None else devices
    return jax.make_mesh((len(devices),), (DATA,), axis_types=(AxisType.Auto,), devices=devices)


def replicated(mesh: Mesh) -> NamedSharding:
    """The sharding of an array with a copy on every device."""
    return NamedSharding(mesh, PartitionSpec())


def sharded(mesh: Mesh, axis: int) -> NamedSharding:
    """The sharding of an array that is split along one axis."""
    return NamedSharding(mesh, PartitionSpec(*[None] * axis, DATA))


def check_batch(batch: int, devices: int) -> None:
    """Refuse a batch that the devices cannot share evenly. Raises: InputError."""
    if batch % devices:
        lower, upper = batch // devices * devices, -(-batch // devices) * devices
        choices = " or ".join(str(b) for b in (lower, upper) if b)
        raise InputError(f"batch={batch} does not divide by the {devices} devices: use batch={choices}")
