"""The one loop: many steps a call inside `jit`, the state donated, one compile a phase."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from genjax.engine import compiler
from genjax.engine.distributed import all_gather_json
from genjax.engine.mesh import replicated
from genjax.engine.phase import Phase, ScheduledPhase, Task, scheduled_phases
from genjax.engine.state import Key, State, stream

CALL_SECONDS = 1.0
"""How long one call is to take: long enough to cost nothing, short enough to answer a signal and move a bar."""


class Diverged(ArithmeticError):
    """A loss or a parameter became NaN or infinite."""


class Feed(Protocol):
    """Where batches come from; see `genjax.data.feed`."""

    resident_data: Any
    take_batch: Callable[[Any, Any], Any]

    def capacity(self, span: ScheduledPhase, most: int) -> int:
        """How many steps one call may take."""

    def batches(self, span: ScheduledPhase, step: int, capacity: int) -> Any:
        """A generator that is sent a count of steps and answers with their picks."""


@dataclass(frozen=True)
class CallResult:
    """What a call of the loop leaves."""

    phase: Phase
    first: int  # the step before its first update
    state: State  # valid until the next chunk is asked for: its buffers are donated
    metrics: dict[str, np.ndarray]  # one row an update, [n]
    seconds: float

    @property
    def step(self) -> int:
        """Updates made so far."""
        return self.first + len(next(iter(self.metrics.values())))


def initial_state(task: Task, seed: int, mesh: Mesh) -> State:
    """The state at step 0, whole on every device."""
    return jax.jit(task.init, out_shardings=replicated(mesh))(stream(seed, "init"))


def abstract_state(task: Task, mesh: Mesh) -> State:
    """The shapes, types and shardings of a task's state, without computing it."""
    return jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype, sharding=replicated(mesh)), shapes(task))


def shapes(task: Task) -> State:
    """The shapes and types of a task's state: nothing is computed, nor compiled."""
    return jax.eval_shape(lambda: task.init(stream(0, "init")))


def train(task: Task, state: State, feed: Feed, seed: int, mesh: Mesh, every: tuple[int, ...]) -> Iterator[CallResult]:
    """Run a task from the state's step to its end, yielding after each call.

    A call ends at every multiple of the numbers in `every`, at the end of a phase, or when about a second is over;
    where it ends changes nothing, since the trip count is traced and each step's key and batch follow from its number.
    Raises: Diverged, naming step and metric or leaf, as soon as the call that computed it returns.
    """
    step = int(state.step)
    for span in scheduled_phases(task):
        if step >= span.stop:
            continue
        if step == span.start:
            state = jax.jit(span.phase.enter, donate_argnums=0)(state, stream(seed, f"enter {span.phase.name}"))
        most = feed.capacity(span, min(every))
        prepared = jax.jit(span.phase.prepare, out_shardings=replicated(mesh))(state)
        run = compile_phase(span.phase, feed.take_batch, mesh, most)
        batches = feed.batches(span, step, most)
        next(batches)
        try:
            rate, fresh = None, True
            while step < span.stop:
                stops = [step + n - step % n for n in every]
                count = min(most, span.stop - step, min(stops) - step)
                count = min(count, max(1, int(rate * CALL_SECONDS))) if rate else 1
                start = time.perf_counter()
                picks = batches.send(count)
                with jax.set_mesh(mesh):
                    state, metrics, finite = run(
                        state, feed.resident_data, picks, count, stream(seed, "train"), **prepared
                    )
                metrics = {name: rows[:count] for name, rows in jax.device_get(metrics).items()}
                seconds = max(
                    all_gather_json(time.perf_counter() - start)
                )  # so that all take as many steps in the next call
                if not fresh:  # the first call's time is mostly compilation
                    rate = count / seconds
                elif seconds < CALL_SECONDS:
                    rate = 1 / seconds
                fresh = False
                _check(step, metrics, jax.device_get(finite))
                yield CallResult(span.phase, step, state, metrics, seconds)
                step += count
        finally:
            batches.close()


def compile_phase(phase: Phase, take_batch: Callable, mesh: Mesh, capacity: int) -> Callable:
    """A phase as one jitted call of up to `capacity` steps: (state, resident_data, picks, count, key) -> state, metrics, finite.

    `count` is traced: any number of steps runs the same executable, which makes a resumed run the same to the bit.
    """

    def run(state: State, resident_data: Any, picks: Any, count: jax.Array, key: Key, **prepared: Any):
        def step(state, picks):
            return phase.step(state, take_batch(resident_data, picks), jax.random.fold_in(key, state.step), **prepared)

        def body(i, carry):
            state, rows = carry
            state, metrics = step(state, jax.tree.map(lambda p: p[i], picks))
            return state, {name: rows[name].at[i].set(value) for name, value in metrics.items()}

        like = jax.eval_shape(step, state, jax.tree.map(lambda p: p[0], picks))[1]
        rows = {name: jnp.zeros((capacity, *m.shape), m.dtype) for name, m in like.items()}
        state, rows = jax.lax.fori_loop(0, count, body, (state, rows))
        return state, rows, jax.tree.map(_all_finite, (state.nets, state.ema, state.extra))

    return jax.jit(run, donate_argnums=0, out_shardings=replicated(mesh), compiler_options=compiler.options())


def _all_finite(x):
    return jnp.isfinite(x).all() if jnp.issubdtype(x.dtype, jnp.inexact) else jnp.array(True)


def _check(first: int, metrics: dict[str, np.ndarray], finite: Any) -> None:
    bad = {name: int(np.argmin(np.isfinite(rows))) for name, rows in metrics.items() if not np.isfinite(rows).all()}
    if bad:
        name = min(bad, key=lambda n: (bad[n], "loss" not in n))
        raise Diverged(f"{name} became {metrics[name][bad[name]]} at step {first + bad[name] + 1:,}")
    for path, ok in jax.tree_util.tree_leaves_with_path(finite):
        if not ok:
            last = first + len(next(iter(metrics.values())))
            where = "/".join(str(getattr(p, "key", getattr(p, "name", getattr(p, "idx", p)))) for p in path[1:])
            raise Diverged(f"{where} is not finite by step {last:,}")
