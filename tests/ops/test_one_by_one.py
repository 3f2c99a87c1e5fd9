"""One example after the other gives what all at once do, on one device and on several."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import eight_devices

from genjax.engine.mesh import make_mesh, sharded
from genjax.ops import ada


@pytest.fixture(scope="module")
def eight():
    with eight_devices() as call:
        yield call


def augmented(devices: int, sparing: bool) -> tuple[np.ndarray, np.ndarray]:
    """Augmented images, and the gradient of the sum of their squares."""
    x = jnp.asarray(np.random.default_rng(0).uniform(-1, 1, (8, 6, 6, 3)), jnp.float32)

    def loss(x):
        y = ada.augment(x, jnp.float32(0.8), jax.random.key(1), "bgcfnc", sparing)
        return jnp.sum(y**2), y

    mesh = make_mesh(jax.devices()[:devices])
    with jax.set_mesh(mesh):
        (_, y), slope = jax.jit(jax.value_and_grad(loss, has_aux=True))(jax.device_put(x, sharded(mesh, 0)))
        return np.asarray(y), np.asarray(slope)


@pytest.mark.heavy
@pytest.mark.parametrize("devices", [1, 4])
def test_augmented_images_and_slopes_are_those_of_all_at_once(devices, eight):
    wanted = eight(augmented, 1, False)
    for ours, all_at_once in zip(eight(augmented, devices, True), wanted, strict=True):
        np.testing.assert_allclose(ours, all_at_once, rtol=0, atol=1e-5 * abs(all_at_once).max())
