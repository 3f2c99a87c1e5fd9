"""Directions in which a run's images change most, and the spread of its codes.

Principal components of w over seeds, or of the codes of examples where there is no prior; of a generator of normal
latents, which has no principal components, the eigenvectors of the mean J^T J, J the Jacobian of an image.
"""

import numpy as np

from genjax.engine.outputs import apply_in_batches
from genjax.engine.state import State
from genjax.exploration.opened import Opened

DRAWN = 2000  # w, or codes of examples, of which directions are computed
JACOBIANS = 4  # seeds at which those of a generator without w are computed
SECANT = 0.1  # step both ways along a latent, in standard deviations


def principal(run: Opened, step: int | str | None, ema: bool = True) -> np.ndarray:
    """Principal directions, each of the length of a standard deviation along it, the largest first.

    Of w of `DRAWN` seeds; of the codes of examples, where there is no prior; or those along which a generator without w
    changes images most, eigenvectors of the mean J^T J over seeds, of length one.
    Source: arXiv:2004.02546, section 2.2 (w). Shapes: -> float64 [directions, D].
    """
    return run.remembered(("directions", step, ema), lambda: _directions(run, run.state(step), ema))


def codes(run: Opened, step: int | str | None) -> np.ndarray:
    """Codes of the first `DRAWN` examples as vectors, without the one-hot of a class. Shapes: -> [N, D]."""
    return run.remembered(("codes", step), lambda: _codes(run, run.state(step)))


def spread(run: Opened, step: int | str | None) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of latents: of the prior, or of codes of examples. Shapes: -> [D] each."""
    if "latents" in run.outputs:
        return np.zeros(run.latents), np.ones(run.latents)
    x = codes(run, step)
    return x.mean(0), x.std(0)


def _directions(run: Opened, state: State, ema: bool) -> np.ndarray:
    if "latents" not in run.outputs:
        return _components(_codes(run, state))
    if run.has_styles:
        z = apply_in_batches(run.outputs["latents"], state, np.arange(DRAWN, dtype=np.int32))
        return _components(apply_in_batches(run.outputs["map"], state, z, ema=ema))
    z = np.asarray(run.program("latents")(state, np.arange(JACOBIANS, dtype=np.int32)))
    gram = sum(np.float64(secants @ secants.T) for secants in (_secants(run, state, each, ema) for each in z))
    _, vectors = np.linalg.eigh(gram)
    return _signed(vectors.T[::-1])


def _codes(run: Opened, state: State) -> np.ndarray:
    count = min(DRAWN, run.examples.size)
    z = apply_in_batches(run.outputs["encode"], state, run.examples.read(np.arange(count)))
    return z.reshape(count, -1)[:, : run.latents or None]


def _secants(run: Opened, state: State, z: np.ndarray, ema: bool) -> np.ndarray:
    """Changes of an image per unit of each latent, by central differences. Shapes: z [D] -> float32 [D, pixels]."""
    moves = SECANT * np.eye(run.latents, len(z), dtype=np.float32)
    ahead, behind = (apply_in_batches(run.outputs["decode"], state, z + sign * moves, ema=ema) for sign in (1, -1))
    return (ahead - behind).reshape(run.latents, -1) / (2 * SECANT)


def _components(x: np.ndarray) -> np.ndarray:
    """Principal components times the standard deviation along each. Shapes: [N, D] -> [min(N, D), D]."""
    x = np.float64(x)
    _, sizes, components = np.linalg.svd(x - x.mean(0), full_matrices=False)
    return _signed(components) * (sizes / len(x) ** 0.5)[:, None]


def _signed(directions: np.ndarray) -> np.ndarray:
    """Directions whose largest entry is positive, so that a direction keeps its sense from checkpoint to checkpoint."""
    largest = np.take_along_axis(directions, np.abs(directions).argmax(1)[:, None], 1)
    return directions * np.where(largest < 0, -1, 1)
