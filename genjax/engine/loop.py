"""The one loop: many steps per compiled call, the state donated, one compilation per phase."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from genjax.engine import compiler, seeds
from genjax.engine.distributed import all_gather_json, collective
from genjax.engine.mesh import replicated
from genjax.engine.phase import Phase, ScheduledPhase, Task, identity, no_extras, scheduled_phases
from genjax.engine.state import Key, State, key_like, leaf_name

CALL_SECONDS = 1.0
"""Duration of one call: long enough to cost nothing, short enough to answer a signal and to move a progress bar."""


class Diverged(ArithmeticError):
    """A loss or a parameter became NaN or infinite."""


class Batches(Protocol):
    """The inputs of the steps of a phase, in their order."""

    def take(self, count: int) -> Any:
        """The inputs of the next `count` steps: indices of resident data, or the examples themselves."""

    def close(self) -> None:
        """Stop reading."""


class Feed(Protocol):
    """A source of batches; see `genjax.data.feed`."""

    resident_data: Any
    take_batch: Callable[[Any, Any], Any]

    def capacity(self, scheduled: ScheduledPhase, max_steps: int) -> int:
        """The number of steps that one call may take, at most `max_steps`."""

    def batches(self, scheduled: ScheduledPhase, step: int, capacity: int) -> Batches:
        """The inputs of a phase from a global step on, for calls of up to `capacity` steps."""


@dataclass(frozen=True)
class CallResult:
    """The result of one compiled call."""

    phase: Phase
    first: int  # the step before its first update
    state: State  # valid until the next call: its buffers are donated
    metrics: dict[str, np.ndarray]  # one value per update, [n]; of seeds that train together [n, seeds]
    seconds: float
    reading: tuple[float, ...]  # seconds of them that each process waited for its batches

    @property
    def step(self) -> int:
        """Updates made so far."""
        return self.first + len(next(iter(self.metrics.values())))


class CallSizer:
    """The number of steps that take about CALL_SECONDS. The first call takes one step, since it compiles."""

    def __init__(self):
        self._rate: float | None = None  # steps per second
        self._compiling = True

    def next(self, max_steps: int) -> int:
        """The number of steps of the next call."""
        return min(max_steps, max(1, int(self._rate * CALL_SECONDS))) if self._rate else 1

    def record(self, count: int, seconds: float) -> None:
        """Record the seconds of a call of `count` steps, except of a long first call, which has compiled."""
        if not self._compiling or seconds < CALL_SECONDS:
            self._rate = count / seconds
        self._compiling = False


def initial_state(task: Task, seed: seeds.Seeds, mesh: Mesh) -> State:
    """The state of step 0, replicated on every device; of several seeds, their states together."""
    init = seeds.map_init(task.init, seed)
    init = jax.jit(init, out_shardings=replicated(mesh), compiler_options=compiler.options(once=True))
    return init(seeds.keys(seed, "init"))


def abstract_state(task: Task, mesh: Mesh) -> State:
    """The shapes, types and shardings of a task's state, without computing it."""
    return jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype, sharding=replicated(mesh)), shapes(task))


def shapes(task: Task) -> State:
    """The shapes and types of a task's state; nothing is computed or compiled."""
    return jax.eval_shape(task.init, key_like())  # of the function itself, so that `initial_state` traces it no more


@collective
def train(
    task: Task, state: State, feed: Feed, seed: seeds.Seeds, mesh: Mesh, boundaries: tuple[int, ...]
) -> Iterator[CallResult]:
    """Run a task from the state's step to its end, yielding after each call; of several seeds, their states together.

    A call ends at every multiple of the numbers in `boundaries`, at the end of a phase, or after about a second. Where
    calls end does not change any bits, because the trip count is traced and each step's key and batch follow from its
    number.
    Raises: Diverged, naming the step and the metric or leaf, as soon as the call that computed it returns.
    """
    for scheduled in scheduled_phases(task):
        step = int(state.step)
        if step >= scheduled.stop:
            continue
        inputs = scheduled.phase.inputs()
        if step == scheduled.start and scheduled.phase.enter is not identity:
            enter = seeds.map_enter(scheduled.phase.enter, seed)
            enter = jax.jit(enter, donate_argnums=0, compiler_options=compiler.options())
            state = enter(state, seeds.keys(seed, f"enter {scheduled.phase.name}"), **inputs)
        prepared = {}
        if scheduled.phase.prepare is not no_extras:
            prepare = seeds.map_prepare(scheduled.phase.prepare, seed)
            prepare = jax.jit(prepare, out_shardings=replicated(mesh), compiler_options=compiler.options())
            prepared = prepare(state, **inputs)
        for result in _run_phase(scheduled, state, prepared, feed, seed, mesh, boundaries):
            yield result
            state = result.state


def _run_phase(scheduled, state, prepared, feed, seed, mesh, boundaries) -> Iterator[CallResult]:
    """The calls of one phase, which is entered and prepared."""
    phase = scheduled.phase
    step = int(state.step)
    max_steps = feed.capacity(scheduled, min(boundaries))
    run = compile_phase(phase, feed.take_batch, mesh, max_steps, seed)
    key = seeds.keys(seed, "train")
    sizer = CallSizer()
    with contextlib.closing(feed.batches(scheduled, step, max_steps)) as batches:
        while step < scheduled.stop:
            until_boundary = min(n - step % n for n in boundaries)
            count = sizer.next(min(max_steps, scheduled.stop - step, until_boundary))
            start = time.perf_counter()
            inputs = batches.take(count)
            read = time.perf_counter() - start
            with jax.set_mesh(mesh):
                state, metrics, finite = run(state, feed.resident_data, inputs, count, key, **prepared)
            metrics = {name: values[:count] for name, values in jax.device_get(metrics).items()}
            # The slowest process decides for all, so that all take the same number of steps in the next call.
            times, reading = zip(*all_gather_json([time.perf_counter() - start, read]), strict=True)
            seconds = max(times)
            sizer.record(count, seconds)
            _check(step, metrics, jax.device_get(finite), seed)
            yield CallResult(phase, step, state, metrics, seconds, reading)
            step += count


def compile_phase(phase: Phase, take_batch: Callable, mesh: Mesh, capacity: int, seed: seeds.Seeds = 0) -> Callable:
    """A phase as one jitted call of up to `capacity` steps, see `phase_call`; the state's buffers are donated.

    `seed`: several that train together make another program; one is an argument of it.
    """
    run = seeds.map_call(phase_call(phase, take_batch, capacity), seed)
    return jax.jit(run, donate_argnums=0, out_shardings=replicated(mesh), compiler_options=compiler.options())


def phase_call(phase: Phase, take_batch: Callable, capacity: int) -> Callable:
    """A phase as one function of up to `capacity` steps.

    The call is (state, resident_data, indices_or_batch, count, key, **prepared) -> state, metrics, finite. `count` is
    traced: any number of steps runs the same executable, which makes a resumed run equal to the bit.
    """

    @partial(jax.jit, inline=True)  # traced once, for the shapes of its metrics and for the loop
    def step(state: State, resident_data: Any, indices_or_batch: Any, key: Key, prepared: Mapping[str, Any]):
        batch = take_batch(resident_data, indices_or_batch)
        return phase.step(state, batch, jax.random.fold_in(key, state.step), **prepared)

    def run(state: State, resident_data: Any, indices_or_batch: Any, count: jax.Array, key: Key, **prepared: Any):
        def take_step(state, i):
            return step(state, resident_data, jax.tree.map(lambda x: x[i], indices_or_batch), key, prepared)

        def body(i, carry):
            state, rows = carry
            state, metrics = take_step(state, i)
            return state, {name: rows[name].at[i].set(value) for name, value in metrics.items()}

        like = jax.eval_shape(take_step, state, 0)[1]
        rows = {name: jnp.zeros((capacity, *m.shape), m.dtype) for name, m in like.items()}
        state, rows = jax.lax.fori_loop(0, count, body, (state, rows))
        return state, rows, jax.tree.map(_all_finite, (state.nets, state.ema, state.extra))

    return run


def _all_finite(x):
    return jnp.isfinite(x).all() if jnp.issubdtype(x.dtype, jnp.inexact) else jnp.array(True)


def _check(first: int, metrics: dict[str, np.ndarray], finite: Any, seed: seeds.Seeds) -> None:
    """Refuse a call whose metrics or state are not finite. Raises: Diverged, naming the seed if there are several."""

    def of_seed(index):
        return f" of seed {seed[index[0]]}" if len(index) else ""

    bad_rows = {name: np.argwhere(~np.isfinite(v))[0] for name, v in metrics.items() if not np.isfinite(v).all()}
    if bad_rows:
        name = min(bad_rows, key=lambda n: (bad_rows[n][0], "loss" not in n))
        row, *index = bad_rows[name]
        raise Diverged(f"{name}{of_seed(index)} became {metrics[name][row, *index]} at step {first + row + 1:,}")
    for path, ok in jax.tree_util.tree_leaves_with_path(finite):
        if not ok.all():
            last = first + len(next(iter(metrics.values())))
            index = np.flatnonzero(~ok) if ok.ndim else ()
            raise Diverged(f"{leaf_name(path[1:], '/')}{of_seed(index)} is not finite by step {last:,}")
