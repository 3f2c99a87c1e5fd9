"""The curve and the weights do not depend on the number of devices."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import sys
import jax, numpy as np
from configs import dcgan, gan, wgan_gp
from genjax import data, tasks
from genjax.config import variant
from genjax.data.feed import Feed
from genjax.engine import loop
from genjax.engine.mesh import make_mesh

config = {"gan": gan, "dcgan": dcgan, "wgan_gp": wgan_gp}[sys.argv[1]].get_config("smoke")
config.steps, config.batch, config.ema.half_life = 20, 8, 50.0
config.optimizer.critic.learning_rate = config.optimizer.generator.learning_rate = 1e-4
source = data.load(config.data)

def run(count):
    mesh = make_mesh(jax.devices()[:count])
    task = tasks.build(config, source.shape)
    state = loop.initial_state(task, 0, mesh)
    chunks = list(loop.train(task, state, Feed(source, 0, mesh, 2**30), 0, mesh, (10, 20)))
    curve = {name: np.concatenate([c.metrics[name] for c in chunks]) for name in chunks[0].metrics}
    return curve, jax.device_get(chunks[-1].state)

one = run(1)
for count in map(int, sys.argv[2:]):
    curve, state = run(count)
    for name, values in curve.items():
        np.testing.assert_allclose(values, one[0][name], rtol=1e-4, atol=1e-5, err_msg=f"{name} on {count} devices")
    for (path, a), b in zip(jax.tree_util.tree_leaves_with_path(state), jax.tree.leaves(one[1]), strict=True):
        scale = np.abs(b).max() + 1e-6
        np.testing.assert_allclose(a / scale, b / scale, atol=1e-4, err_msg=f"{path} on {count} devices")
print("same")
"""


@pytest.mark.parametrize(("config", "devices"), [("gan", "2 4 8"), ("dcgan", "4"), ("wgan_gp", "4")])
def test_any_number_of_devices_gives_one_curve(config, devices, request):
    environment = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=8", "PYTHONPATH": "."}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, config, *devices.split()],
        capture_output=True,
        text=True,
        env=environment,
        cwd=request.config.rootpath,
        check=False,
    )
    assert done.stdout.endswith("same\n"), done.stderr[-2000:]
