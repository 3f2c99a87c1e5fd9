"""Films in the style of images: each frame takes over the last one, moved along the optical flow, against flicker.

Source: arXiv:1604.08610, sections 4.1 and 4.2, for descent.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import jax
import numpy as np
from ml_collections import ConfigDict

from genjax.engine import compiler, loop
from genjax.engine.mesh import make_mesh
from genjax.engine.state import stream
from genjax.errors import InputError
from genjax.metrics.flicker import frame_difference, warping_error
from genjax.ops.flow import warped
from genjax.ops.pixels import quantize
from genjax.optical_flow import Motion
from genjax.stylization import Painter
from genjax.tasks.style import film
from genjax.tasks.style.images import Carried

Paint = Callable[[np.ndarray, Carried | None], np.ndarray]
"""A frame and what it takes over -> the frame in the style. Shapes: uint8 [H, W, 3] -> uint8 [H, W, 3]."""


def painted(paint: Paint, frames: Sequence[np.ndarray], motions: Sequence[Motion], carry: str) -> Iterator[np.ndarray]:
    """The frames of a film in the style, in turn.

    A frame takes over the last result: with `carry` "warped" moved along `motions`, which are those into each frame but
    the first, with "last" unmoved, with "none" not at all.
    """
    last = None
    for number, frame in enumerate(frames):
        carried = None
        if number and carry == "last":
            carried = Carried(np.float32(last), np.ones((*frame.shape[:2], 1), np.float32))
        elif number and carry == "warped":
            back, known = motions[number - 1]
            carried = Carried(np.asarray(warped(np.float32(last), back)), known)
        last = paint(frame, carried)
        yield last


def flicker(frames: Sequence[np.ndarray], motions: Sequence[Motion]) -> tuple[float, float | None]:
    """The difference of frames, and their warping error, None without motions."""
    error = warping_error(frames, *zip(*motions, strict=True)) if motions else None
    return frame_difference(frames), error


class Descent:
    """Paints frames by descent, with programs that are compiled once."""

    def __init__(self, config: ConfigDict, shape: tuple[int, ...], temporal: float, later_steps: int):
        """Prepare a config of genjax.tasks.style for frames of a shape.

        `temporal` is the weight of a frame's difference from what it takes over; a frame that takes over another begins
        at its full size and takes `later_steps` steps, at most the config's.
        Raises: InputError for settings that do not fit and images that cannot be read.
        """
        if not 1 <= later_steps <= config.steps or temporal < 0:
            raise InputError(
                f"{later_steps} steps of later frames, temporal weight {temporal}: expected 1 to {config.steps} steps, "
                "those of the first frame, and a weight of 0 or more"
            )
        mesh = make_mesh(jax.devices()[:1])
        self._task, self._images = film.build(config, shape, temporal)
        self._key = stream(config.seed, "train")
        jit = partial(jax.jit, compiler_options=compiler.options())
        self._init = jit(self._task.init)
        self._sample = jit(self._task.outputs["sample"])
        self._enter = [jit(phase.enter) for phase in self._task.phases]
        self._prepare = [jit(phase.prepare) for phase in self._task.phases]
        self._run = [loop.compile_phase(phase, _no_batch, mesh, phase.steps) for phase in self._task.phases]
        self._later_steps = later_steps
        self._mesh = mesh

    def paint(self, frame: np.ndarray, carried: Carried | None = None) -> np.ndarray:
        """A frame in the style; see Paint. Raises: Diverged if the image becomes NaN or infinite."""
        images = self._images(frame)._replace(carried=carried)
        state = self._init(self._key)
        phases = self._task.phases
        first = len(phases) - 1 if carried else 0
        state = state.replace(step=state.step + sum(phase.steps for phase in phases[:first]))
        for number in range(first, len(phases)):
            count = self._later_steps if carried else phases[number].steps
            state = self._enter[number](state, self._key, images)
            prepared = self._prepare[number](state, images)
            with jax.set_mesh(self._mesh):
                state, _, finite = self._run[number](state, (), (), count, self._key, **prepared)
            if not all(map(bool, jax.tree.leaves(finite))):
                raise loop.Diverged(f"the image is not finite after phase {phases[number].name}")
        return np.asarray(self._sample(state, np.arange(1)))[0]


def _no_batch(resident_data, indices_or_batch) -> None:
    """The batch of a descent, whose content is in its targets."""


def blending(painter: Painter, share: float) -> Paint:
    """Frames in one pass, with `share` of what they take over blended in where it is known."""

    def paint(frame: np.ndarray, carried: Carried | None) -> np.ndarray:
        y = painter.painted(np.float32(frame))
        if carried is not None:
            y = y + share * carried.known * (carried.image - y)
        return quantize(y)

    return paint
