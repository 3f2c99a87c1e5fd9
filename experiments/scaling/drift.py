"""The distance between runs on 1, 2, 4 and 8 devices: python -m experiments.scaling.drift

Trains the smallest variants of configs for 50 steps on 1, 2, 4 and 8 devices (of this CPU) and compares the curves and
the last state with those of one device: in float64, in float32, and in float32 with a smooth activation.
"""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from absl import flags
from ml_collections import ConfigDict

from configs import dcgan, gan, wgan_gp
from genjax import data, tasks
from genjax.cli import entry
from genjax.engine import loop
from genjax.engine.compiler import enable_compilation_cache
from genjax.engine.mesh import make_mesh
from genjax.run.fit import fit
from genjax.text import table

FLAGS = flags.FLAGS

CONFIGS = {"gan": gan, "dcgan": dcgan, "wgan_gp": wgan_gp}
COUNTS = (2, 4, 8)
STEPS = 50
SETTINGS = (("float64", ""), ("float32", ""), ("float32", "tanh"))


def define_flags() -> None:
    """Define the flags of this command."""
    flags.DEFINE_integer("seeds", 5, "Seeds per config, type and activation.", lower_bound=1)


def main() -> int:
    """Train, compare and print. Returns: the exit code."""
    enable_compilation_cache()
    jax.config.update("jax_num_cpu_devices", max(COUNTS))
    rows = []
    for name in CONFIGS:
        for dtype, activation in SETTINGS:
            curves, state = zip(*compare(tiny(name, activation), dtype, FLAGS.seeds), strict=True)
            beyond = sum(distance > 1e-5 for distance in curves)
            rows.append((name, dtype, activation or "its own", f"{max(curves):.0e}", f"{max(state):.0e}", beyond))
    headers = ("config", "type", "activation", "curves", "state", f"of {len(curves)}, curves beyond 1e-5")
    print(table(rows, headers))
    return 0


def tiny(name: str, activation: str = "") -> ConfigDict:
    """The smallest variant of a config, with averaged weights, and with another activation if one is named."""
    config = CONFIGS[name].get_config("smoke")
    config.steps = STEPS
    config.ema.half_life = 50.0
    if activation:
        config.generator.activation = config.critic.activation = activation
    return config


def compare(config: ConfigDict, dtype: str, seeds: int) -> Iterator[tuple[float, float]]:
    """The largest distances of curves and of the state, per seed and number of devices."""
    for config.seed in range(seeds):
        one = train(config, 1, dtype)
        for count in COUNTS:
            several = train(config, count, dtype)
            yield tuple(max(distances(a, b).values()) for a, b in zip(several, one, strict=True))


def train(config: ConfigDict, count: int, dtype: str) -> tuple[dict[str, np.ndarray], Any]:
    """Curves and last state of a config on `count` devices, computed in float32 or float64."""
    with jax.enable_x64(dtype == "float64"):
        source, mesh = data.load(config.data), make_mesh(jax.devices()[:count])
        task = tasks.build(config, source.shape)
        state = loop.initial_state(task, config.seed, mesh)  # Linen draws float32
        state = jax.tree.map(lambda a: a.astype(dtype) if jnp.issubdtype(a.dtype, jnp.inexact) else a, state)
        curves = {}
        for chunk in fit(task, source, config.seed, (config.steps,), mesh=mesh, state=state):
            for name, values in chunk.metrics.items():
                curves.setdefault(name, []).append(values)
        return {name: np.concatenate(parts) for name, parts in curves.items()}, jax.device_get(chunk.state)


def distances(result: Any, expected: Any) -> dict[str, float]:
    """The distance of each array from the expected one, relative to the norm of that one.

    Raises: ValueError if they differ in structure or type.
    """
    out = {}
    pairs = zip(jax.tree_util.tree_leaves_with_path(result), jax.tree.leaves(expected), strict=True)
    for (path, a), b in pairs:
        if a.dtype != b.dtype:
            raise ValueError(f"{jax.tree_util.keystr(path)} is {a.dtype}, expected {b.dtype}")
        a, b = np.float64(a), np.float64(b)
        out[jax.tree_util.keystr(path)] = float(np.linalg.norm(a - b) / max(np.linalg.norm(b), 1e-30))
    return out


if __name__ == "__main__":
    define_flags()
    entry.run(main)
