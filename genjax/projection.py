"""The codes of a generator whose images are nearest to given ones.

Source: arXiv:1912.04958, appendix D: from the average w, Adam of 0.1 that rises over the first twentieth and falls
over the last quarter, noise on w that falls to nothing at three quarters. Paper: VGG's distance, and noise maps are
optimized too; here: SqueezeNet's and the squared difference of pixels, and noise stays what it is.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from genjax.engine.outputs import apply_in_batches
from genjax.metrics.perceptual import perceptual_distance
from genjax.ops.pixels import quantize
from genjax.run.loaded import Run

SPACES = {"z": ("latents", "decode"), "w": ("map", "synthesize"), "w+": ("map", "synthesize")}
"""Where codes are sought, and the outputs that this needs: latents; one w; a w for each layer."""

RATE, NOISE = 0.1, 0.05  # of Adam, and of the noise in units of w's deviation
CANDIDATES = 256  # seeds of which the nearest is where z begins
DRAWN = 2000  # w that the average is over


class Projection(NamedTuple):
    """What a search found."""

    codes: np.ndarray  # [N, latent], [N, width] or [N, layers, width]
    start: np.ndarray  # [N, *shape], the images that it began with
    images: np.ndarray  # [N, *shape], those that it ended with
    losses: np.ndarray  # [steps, N]


def project(
    run: Run,
    targets: np.ndarray,
    space: str,
    steps: int,
    seed: int = 0,
    on_progress: Callable[[int], object] = lambda _: None,
) -> Projection:
    """Codes for images; `on_progress` is called with the steps that are done.

    Shapes: targets uint8 [N, *shape].
    Raises: NotApplicable if the run's task has no such codes.
    """
    run.need(*SPACES[space])
    generate = run.task.outputs[SPACES[space][1]]
    start, spread = _start(run, targets, space)
    look, wanted = perceptual_distance(), jnp.asarray(targets, jnp.float32)
    tx = optax.adam(lambda step: RATE * _rate(step / steps))

    def losses(codes, state):
        x = generate(state, codes)
        return look(x, wanted) + jnp.mean(jnp.square(x - wanted), (1, 2, 3)) / 127.5**2

    @jax.jit
    def descend(codes, opt, step, state):
        left = jnp.maximum(1 - step / steps / 0.75, 0) ** 2 * (space != "z")
        key = jax.random.fold_in(jax.random.key(seed), step)
        moved = codes + NOISE * left * spread * jax.random.normal(key, codes.shape)
        found, pull = jax.vjp(lambda codes: losses(codes, state), moved)
        updates, opt = tx.update(pull(jnp.ones(len(codes)))[0], opt, codes)
        return optax.apply_updates(codes, updates), opt, found

    codes, rows = jnp.asarray(start), []
    opt = tx.init(codes)
    for step in range(steps):
        codes, opt, found = descend(codes, opt, step, run.state)
        rows.append(np.asarray(found))
        on_progress(step + 1)
    return Projection(np.asarray(codes), _images(run, generate, start), _images(run, generate, codes), np.stack(rows))


def _start(run, targets, space):
    """The codes that a search begins with, and the deviation of codes."""
    seeds = np.arange(CANDIDATES if space == "z" else DRAWN, dtype=np.int32)
    z = apply_in_batches(run.task.outputs["latents"], run.state, seeds)
    if space == "z":
        images = run.decode(z).reshape(len(z), -1).astype(np.float32)
        flat = targets.reshape(len(targets), -1).astype(np.float32)
        apart = (flat**2).sum(1)[:, None] + (images**2).sum(1) - 2 * flat @ images.T
        return z[apart.argmin(1)], 1.0
    w = apply_in_batches(run.task.outputs["map"], run.state, z)
    layers = (2 * int(np.log2(targets.shape[1])) - 2,) if space == "w+" else ()
    return np.broadcast_to(w.mean(0), (len(targets), *layers, w.shape[1])).copy(), float(w.std())


def _rate(t):
    """How large steps are at t of the way, from 0 to 1."""
    return jnp.minimum(t / 0.05, 1) * (0.5 - 0.5 * jnp.cos(jnp.pi * jnp.minimum((1 - t) / 0.25, 1)))


def _images(run, generate, codes):
    return quantize(apply_in_batches(generate, run.state, np.asarray(codes)))
