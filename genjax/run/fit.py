"""Training without a run's folder: a task over a source, as an iterator over the results of its calls."""

from collections.abc import Iterator

from jax.sharding import Mesh

from genjax.data.feed import Feed
from genjax.data.source import Source
from genjax.engine import loop
from genjax.engine.mesh import make_mesh
from genjax.engine.phase import Task
from genjax.engine.state import State


def fit(
    task: Task,
    source: Source,
    seed: int = 0,
    boundaries: tuple[int, ...] = (50,),
    *,
    resident_bytes: float = 2**30,
    workers: int = 0,
    mesh: Mesh | None = None,
    state: State | None = None,
) -> Iterator[loop.CallResult]:
    """Train a task from `state` (default: that of step 0) to its end, yielding after each call of the loop.

    A call ends at every multiple of the numbers in `boundaries`, at the end of a phase, or after about a second. The
    source is kept on the devices of `mesh` (default: all) if it has at most `resident_bytes`, and is otherwise read by
    `workers` processes, or by a thread if that is 0. The buffers of a result's state are donated to the next call: read
    what is needed before asking for it.
    Raises: Diverged if a metric or the state becomes NaN or infinite.
    """
    mesh = make_mesh() if mesh is None else mesh
    state = loop.initial_state(task, seed, mesh) if state is None else state
    return loop.train(task, state, Feed(source, seed, mesh, resident_bytes, workers), seed, mesh, boundaries)
