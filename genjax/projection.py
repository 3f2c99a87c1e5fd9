"""Projection: the latents of a generator whose images are nearest to target images, by gradient descent.

Source: arXiv:1912.04958, appendix D: from the average w, Adam with a rate of 0.1 that rises over the first twentieth
and falls over the last quarter of the steps, noise on w that falls to zero at three quarters. Paper: VGG's distance,
and noise maps are optimized too; here: SqueezeNet's distance and the squared difference of pixels, and noise is
fixed.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from genjax.engine.outputs import apply_in_batches
from genjax.metrics.perceptual import perceptual_distance
from genjax.ops.pixels import quantize, to_numbers
from genjax.run.loaded import Run

SPACES = {"z": ("latents", "decode"), "w": ("map", "synthesize"), "w+": ("map", "synthesize")}
"""Space -> outputs that it needs: z are latents, w is one per image, w+ one per image and layer."""

RATE = 0.1  # of Adam
NOISE = 0.05  # on w, in units of its standard deviation
CANDIDATES = 256  # seeds of which the nearest is the start in z
DRAWN = 2000  # w in the average


class Projection(NamedTuple):
    """Latents, and their images before and after the descent."""

    codes: np.ndarray  # [N, latent], [N, width] or [N, layers, width]
    start: np.ndarray  # [N, *shape], images at the start
    images: np.ndarray  # [N, *shape], images at the end
    losses: np.ndarray  # [steps, N]


def project(
    run: Run,
    targets: np.ndarray,
    space: str,
    steps: int,
    seed: int = 0,
    on_progress: Callable[[int], object] = lambda _: None,
) -> Projection:
    """Latents whose images approximate `targets`; `on_progress` is called with the number of steps done.

    Shapes: targets uint8 or uint16 [N, *shape].
    Raises: NotApplicable if the run's task lacks the outputs for the space.
    """
    run.need(*SPACES[space])
    generate = run.task.outputs[SPACES[space][1]]
    start, std = _start(run, targets, space)
    distance = perceptual_distance()
    target = jnp.asarray(to_numbers(targets))
    tx = optax.adam(lambda step: RATE * _rate(step / steps))

    def losses(codes, state):
        x = generate(state, codes)
        return distance(x, target) + jnp.mean(jnp.square(x - target), (1, 2, 3)) / 127.5**2

    @jax.jit
    def descend(codes, opt, step, state):
        strength = jnp.maximum(1 - step / steps / 0.75, 0) ** 2 * (space != "z")
        key = jax.random.fold_in(jax.random.key(seed), step)
        noisy = codes + NOISE * strength * std * jax.random.normal(key, codes.shape)
        values, pullback = jax.vjp(lambda codes: losses(codes, state), noisy)
        updates, opt = tx.update(pullback(jnp.ones(len(codes)))[0], opt, codes)
        return optax.apply_updates(codes, updates), opt, values

    place = jax.tree.leaves(run.state)[0].sharding  # where the results of a step are: another place is another program
    codes = jax.device_put(start, place)
    opt = jax.device_put(tx.init(codes), place)
    rows = []
    for step in range(steps):
        codes, opt, values = descend(codes, opt, step, run.state)
        rows.append(np.asarray(values))
        on_progress(step + 1)
    return Projection(np.asarray(codes), _images(run, generate, start), _images(run, generate, codes), np.stack(rows))


def _start(run, targets, space):
    """The latents at the start, and their standard deviation."""
    seeds = np.arange(CANDIDATES if space == "z" else DRAWN, dtype=np.int32)
    z = apply_in_batches(run.task.outputs["latents"], run.state, seeds)
    if space == "z":
        images = to_numbers(run.decode(z)).reshape(len(z), -1)
        flat = to_numbers(targets).reshape(len(targets), -1)
        squared = (flat**2).sum(1)[:, None] + (images**2).sum(1) - 2 * flat @ images.T
        return z[squared.argmin(1)], 1.0
    w = apply_in_batches(run.task.outputs["map"], run.state, z)
    layers = (run.task.layers,) if space == "w+" else ()
    return np.broadcast_to(w.mean(0), (len(targets), *layers, w.shape[1])).copy(), float(w.std())


def _rate(t):
    """Factor of the learning rate at t, the share of steps done, from 0 to 1."""
    return jnp.minimum(t / 0.05, 1) * (0.5 - 0.5 * jnp.cos(jnp.pi * jnp.minimum((1 - t) / 0.25, 1)))


def _images(run, generate, codes):
    return quantize(apply_in_batches(generate, run.state, np.asarray(codes)), run.bits)
