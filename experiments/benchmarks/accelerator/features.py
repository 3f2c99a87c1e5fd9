"""Images per second through the net of the Fréchet Inception distance, with random weights: speed is the same."""

import statistics
import time
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.benchmarks.accelerator.parts import Context
from experiments.benchmarks.accelerator.program import memory_of
from genjax.engine.compiler import enable_compilation_cache
from genjax.metrics.features import FeatureNet, extract, squeezenet
from genjax.nets.inception import Inception
from genjax.ops.pixels import to_numbers


def of_inception(
    context: Context, pixels: Sequence[int], batches: Sequence[int], images: int, net: str = "inception", calls: int = 3
) -> Iterator[dict[str, Any]]:
    """A row per size and batch: the whole of `extract`, from images in the host's memory to features there."""
    enable_compilation_cache()
    features = inception() if net == "inception" else squeezenet(64)
    for side in pixels:
        x = np.random.default_rng(0).integers(0, 256, (images, side, side, 3), np.uint8)
        for batch in batches:
            start = time.perf_counter()
            extract(features, x[:batch], batch=batch)
            compiled = time.perf_counter() - start
            times = []
            for _ in range(calls):
                start = time.perf_counter()
                extract(features, x, batch=batch)
                times.append(time.perf_counter() - start)
            yield {
                "net": net,
                "pixels": side,
                "batch": batch,
                "images": images,
                "images_per_second": images / statistics.median(times),
                "first_call_seconds": compiled,
                "peak_bytes": memory_of(jax.devices()[0]).get("peak_bytes_in_use"),
            }


def inception() -> FeatureNet:
    """The net with random weights, as `genjax.metrics.features.inception` has it with those of a file."""
    like = jax.eval_shape(Inception().init, jax.random.key(0), jnp.zeros((1, 32, 32, 3)))
    rng = np.random.default_rng(0)

    def draw(leaf):
        fan_in = max(1, leaf.size // leaf.shape[-1])
        return jnp.asarray(rng.standard_normal(leaf.shape, np.float32) * (2 / fan_in) ** 0.5)

    def apply(variables, x):
        out = Inception().apply(variables, to_numbers(x))
        return out.features, out.probabilities

    return FeatureNet("random Inception v3", 2048, "", "as the published one", apply, jax.tree.map(draw, like))
