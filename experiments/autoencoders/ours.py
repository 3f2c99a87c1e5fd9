"""Seconds per step of a model here: python -m experiments.autoencoders.ours ae_stacked"""

import importlib
import json
import sys
import time

import jax

from genjax import data, tasks
from genjax.engine.compiler import enable_compilation_cache
from genjax.run.fit import fit

SECONDS = 3.0


def seconds_per_step(name: str) -> float:
    """Seconds per step of the training loop, after its first call, which compiles."""
    config = importlib.import_module(f"configs.{name}").get_config()
    config.data.name, config.steps = "fashion_mnist_10k", 1_000_000
    source = data.load(config.data)
    task = tasks.build(config, source.shape)
    start = first = None
    for chunk in fit(task, source, boundaries=(200,)):
        now = time.perf_counter()
        if start is None or now - start < SECONDS / 3:  # compilation and warm-up
            start, first = start or now, chunk.step
            begin = now
        elif now - begin > SECONDS:
            jax.block_until_ready(chunk.state)
            return (now - begin) / (chunk.step - first)
    raise AssertionError("unreachable: the run is endless")


if __name__ == "__main__":
    enable_compilation_cache()
    print(json.dumps({"seconds": seconds_per_step(sys.argv[1])}))
