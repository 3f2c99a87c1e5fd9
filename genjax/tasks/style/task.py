"""The task of a style transfer: its phases, and its output, the image in training."""

from functools import cache, partial

import jax.numpy as jnp
from ml_collections import ConfigDict

from genjax.engine.phase import Task
from genjax.engine.state import State
from genjax.ops import chroma
from genjax.ops.pixels import scaled, to_stored
from genjax.tasks.style.descent import init_state, make_phase, optimizer
from genjax.tasks.style.images import digests, read_images, resized
from genjax.tasks.style.objective import Objective
from genjax.tasks.style.settings import Settings
from genjax.weights import encoders


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """The transfer to a content of one shape, from its config. Images are read when a phase begins, not here.

    Raises: InputError for settings that do not fit; its `files` and phases raise it for images that cannot be read.
    """
    encoder = encoders.load(c.encoder, c.pooling)
    settings = Settings.parse(c, shape, encoder)
    objective = Objective(encoder, settings)
    tx = optimizer(**c.optimizer)
    images = cache(partial(read_images, c, shape))
    phases = tuple(make_phase(objective, tx, number, images) for number in range(len(settings.sizes)))
    outputs = {"sample": partial(sample, settings)}
    return Task(partial(init_state, objective, tx), phases, outputs, files=lambda: digests(c, images()))


def current_image(settings: Settings, state: State):
    """The image in training, resized to the content's shape; from -1 to 1, not clipped. Shapes: -> [H, W, 3]."""
    size = settings.shape[:2]
    x = resized(state.nets["image"].params["0"], size)
    for number, start in enumerate(settings.starts[1:], 1):
        finer = resized(state.nets["image"].params[str(number)], size)
        x = jnp.where(state.step > start, finer, x)
    if settings.color == "luma":
        content = scaled(state.extra["content"].astype(jnp.float32), "tanh")
        return chroma.with_luma(content, chroma.luma(x))
    return x


def sample(settings: Settings, state: State, seeds, truncation=None, ema=True):
    """The image, once per seed: there is only one, which is neither drawn nor averaged.

    Shapes: seeds int [N] -> uint8 [N, H, W, 3].
    """
    del truncation, ema
    return jnp.broadcast_to(to_stored(current_image(settings, state), "tanh"), (len(seeds), *settings.shape))
