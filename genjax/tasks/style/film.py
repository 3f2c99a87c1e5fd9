"""Style transfer to the frames of a film: the phases of every frame, which takes over the last one."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from ml_collections import ConfigDict

from genjax.engine.phase import Task
from genjax.tasks.style.descent import init_state, make_phase, optimizer
from genjax.tasks.style.images import Images, read_styles
from genjax.tasks.style.objective import Objective
from genjax.tasks.style.settings import Settings
from genjax.tasks.style.task import sample
from genjax.weights import encoders


def build(c: ConfigDict, shape: tuple[int, ...], temporal: float) -> tuple[Task, Callable[[np.ndarray], Images]]:
    """The transfer to frames of one shape, and a function of a frame that returns the `images` of its phases.

    `temporal` is the weight of a frame's difference from what it takes over.
    Raises: InputError for settings that do not fit, and for styles and masks that cannot be read.
    """
    encoder = encoders.load(c.encoder, c.pooling)
    settings = replace(Settings.parse(c, shape, encoder), temporal=temporal)
    objective = Objective(encoder, settings)
    tx = optimizer(**c.optimizer)
    styles, masks = read_styles(c, shape)

    def images(frame: np.ndarray) -> Images:
        return Images(frame, styles, masks)

    phases = tuple(make_phase(objective, tx, number, images) for number in range(len(settings.sizes)))
    return Task(partial(init_state, objective, tx), phases, {"sample": partial(sample, settings)}), images
