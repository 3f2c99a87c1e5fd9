"""Whether the device computes what a CPU computes, and whether bfloat16 trains as float32 does."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from experiments.benchmarks.accelerator.parts import Context
from experiments.benchmarks.accelerator.program import SETTINGS, Program
from experiments.scaling.drift import distances
from genjax.engine.compiler import enable_compilation_cache
from genjax.metrics import Moments, distance_of_moments
from genjax.metrics.features import extract, squeezenet
from genjax.ops.backend import writing_for

CURVES, STATE = 1e-4, 1e-3
"""Largest distances from a CPU in float32, relative to the norm of a curve, or of an array of the state.

They are medians over seeds, since in one run of several a number falls on the other side of a kink of an activation.
Measured on a CPU after four steps, the farthest of `dcgan`, `wgan_gp` and `stylegan2` (all `:smoke`): two forms of the
same convolutions (`genjax.ops.cpu` and plain `lax`) are 1e-6 and 3e-5 apart. Another device has other algorithms for
products and shorter series for functions, so it may be thirty to a hundred times as far. Shorter products are farther:
in bfloat16 `wgan_gp`, the nearest, is 1e-2 and 3e-1 away, and TF32 has three bits more.
"""

SPREADS = 4.0
"""Largest distance of two means over seeds in their standard errors. Chance exceeds it once in a thousand times."""


def with_cpu(context: Context, configs: Sequence[str], seeds: int, steps: int) -> Iterator[dict[str, Any]]:
    """A row per config: distances between this device and a CPU in float32 after some steps from equal states.

    Where the device is a CPU, it is compared with itself by plain `lax`.
    """
    _with_cpu_beside()
    enable_compilation_cache()
    cpu = jax.devices("cpu")[0]
    alone = jax.default_backend() == "cpu"
    for config in configs:
        changes = SETTINGS["float32"] | {"steps": steps}
        ours = _results(config, changes, seeds, steps, jax.devices()[0], "any" if alone else "")
        theirs = _results(config, changes, seeds, steps, cpu, "cpu")
        each = [
            [max(distances(a, b).values()) for a, b in zip(*pair, strict=True)]
            for pair in zip(ours, theirs, strict=True)
        ]
        curves, state = np.median(each, axis=0)
        yield {
            "check": f"{config}: {steps} steps of {seeds} seeds"
            + (", a CPU by two forms of convolutions" if alone else ", against a CPU"),
            "measured": f"curves {curves:.1e}, state {state:.1e}",
            "distance": float(max(curves / CURVES, state / STATE)),
            "tolerance": f"curves {CURVES:.0e}, state {STATE:.0e}",
            "passed": bool(curves <= CURVES and state <= STATE),
            "each": each,
        }


def _with_cpu_beside() -> None:
    """Have JAX open a CPU as well, where JAX_PLATFORMS names others alone."""
    names = os.environ.get("JAX_PLATFORMS", "")
    if names and "cpu" not in names.split(","):
        jax.config.update("jax_platforms", f"{names},cpu")


def _results(
    config: str, changes: Mapping[str, Any], seeds: int, steps: int, device: Any, platform: str
) -> list[tuple]:
    """The curves and the last state of each seed on a device, with programs written for a platform ("": its own)."""
    results = []
    with writing_for(platform) if platform else contextlib.nullcontext(), jax.default_device(device):
        program = Program(config, changes, capacity=steps, device=device)
        for seed in range(seeds):
            program.begin(seed)
            curves = program.run(steps)
            floats = [x for x in jax.tree.leaves(jax.device_get(program.state)) if np.issubdtype(x.dtype, np.floating)]
            results.append((curves, floats))
    return results


def of_bfloat16(context: Context, config: str, seeds: int, steps: int, samples: int) -> Iterator[dict[str, Any]]:
    """A row per number of a run: its mean over seeds in bfloat16 and in float32.

    The numbers are the losses' means over the second half of the steps, and the Fréchet distance (SqueezeNet) of
    samples to the data. Both trainings have the same initial weights, data and noise by seed, but training amplifies
    rounding, so it is the means that are compared.
    """
    enable_compilation_cache()
    numbers = {
        name: _runs(config, SETTINGS[name] | {"steps": steps}, seeds, steps, samples)
        for name in ("float32", "bfloat16")
    }
    for name in numbers["float32"][0]:
        long, short = (np.array([run[name] for run in numbers[key]]) for key in ("float32", "bfloat16"))
        gap = short.mean() - long.mean()
        error = np.hypot(*(x.std(ddof=1) for x in (long, short))) / np.sqrt(seeds)
        spreads = float(abs(gap) / error) if error else float(gap != 0) * np.inf
        yield {
            "check": f"{config}, {steps} steps, {seeds} seeds: {name}",
            "measured": f"{short.mean():.4g} in bfloat16, {long.mean():.4g} in float32; {spreads:.1f} standard errors",
            "distance": spreads,
            "tolerance": f"{SPREADS:g} standard errors",
            "passed": spreads <= SPREADS,
            "each": {"bfloat16": short.tolist(), "float32": long.tolist()},
        }


def _runs(config: str, changes: Mapping[str, Any], seeds: int, steps: int, samples: int) -> list[dict[str, float]]:
    """The numbers of each seed."""
    program = Program(config, changes, capacity=steps)
    net = squeezenet(64)
    reference = _moments(net, program.source.read(np.arange(min(program.source.size, 2 * samples))))
    sample = jax.jit(program.task.outputs["sample"])
    runs = []
    for seed in range(seeds):
        program.begin(seed)
        curves = program.run(steps)
        losses = {name: float(rows[steps // 2 :].mean()) for name, rows in curves.items() if "loss" in name}
        images = np.asarray(sample(program.state, np.arange(samples)))
        distance = distance_of_moments(_moments(net, images), reference)
        runs.append(losses | {"Fréchet distance of samples": float(distance)})
    return runs


def _moments(net: Any, images: np.ndarray) -> Moments:
    return Moments.empty(net.dimension).add(extract(net, images).features)
