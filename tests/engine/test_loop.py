"""The loop over a toy task whose every value is known: phases, positions, keys, compilations, faults."""

import zlib
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from genjax.data.order import positions
from genjax.data.source import in_memory
from genjax.engine import loop
from genjax.engine.distributed import run_on_main
from genjax.engine.mesh import make_mesh
from genjax.engine.phase import Phase, Task, scheduled_phases
from genjax.engine.state import Net, State, stream
from genjax.run.fit import fit

SIZE = 50


def toy(poison=None):
    """Counts what it sees: the sum of the examples' values, and how often a phase was entered."""

    def init(key):
        return State(jnp.int32(0), {"w": Net(jnp.zeros(()), {}, ())}, {}, {"entered": jnp.zeros((), jnp.int32)})

    def step(state, batch, key):
        seen = batch["x"].astype(jnp.float32).sum()
        w = state.nets["w"].params + seen
        if poison is not None:
            w = jnp.where(state.step == poison, jnp.nan, w)
        noise = jax.random.uniform(key)
        return state.replace(step=state.step + 1, nets={"w": Net(w, {}, ())}), {"loss": seen, "noise": noise}

    def enter(state, key):
        return state.replace(extra={"entered": state.extra["entered"] + 1})

    return Task(init, (Phase("a", 7, 4, step), Phase("b", 5, 2, step, batches_per_step=3, enter=enter)))


def source():
    x = np.arange(SIZE, dtype=np.uint8).reshape(SIZE, 1, 1, 1)
    return in_memory("toy", "train", x, None)


def run(task, state=None, every=(100,), resident=True):
    mesh = make_mesh(jax.devices()[:1])
    state = None if state is None else jax.device_put(state)
    results = fit(task, source(), boundaries=every, resident_bytes=2**30 if resident else 0, mesh=mesh, state=state)
    return [(c.phase.name, c.step, jax.device_get(c.state), c.metrics) for c in results]


def curve(chunks, name="loss"):
    return np.concatenate([metrics[name] for *_, metrics in chunks])


def test_phases_consume_the_shuffled_stream_without_gap_or_overlap():
    stream_of_values = positions(0, SIZE, 0, 7 * 4 + 5 * 6).astype(float)  # the examples' values are their indices
    expected = [*stream_of_values[:28].reshape(7, 4).sum(1), *stream_of_values[28:].reshape(5, 6).sum(1)]
    np.testing.assert_array_equal(curve(run(toy())), expected)


def test_spans_say_where_phases_begin():
    assert [(s.start, s.stop, s.first_example) for s in scheduled_phases(toy())] == [(0, 7, 0), (7, 12, 28)]


@pytest.mark.heavy
def test_the_first_state_is_traced_once_for_its_shapes_and_its_values():
    traced = []

    def init(key):
        traced.append(key)
        return toy().init(key)

    task = replace(toy(), init=init)
    for _ in range(2):
        like = loop.shapes(task)
        loop.abstract_state(task, make_mesh())
    assert jax.tree.map(lambda a: (a.shape, a.dtype), loop.initial_state(task, 7, make_mesh())) == jax.tree.map(
        lambda a: (a.shape, a.dtype), like
    )
    assert len(traced) == 1


@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1, 2**31, 2**32 + 5, -1])
def test_a_stream_is_the_key_of_its_seed_and_the_checksum_of_its_name(seed):
    expected = jax.random.fold_in(jax.random.key(seed), zlib.crc32(b"train"))
    assert (jax.random.key_data(stream(seed, "train")) == jax.random.key_data(expected)).all()


@pytest.mark.heavy
def test_a_phase_is_entered_once_wherever_the_run_is_cut():
    whole = run(toy())
    for cut in (1, 6, 7, 8, 11):  # the second phase begins after 7
        first = next(c for c in run(toy(), every=(cut,)) if c[1] == cut)
        rest = run(toy(), state=first[2])
        assert rest[-1][2].extra["entered"] == whole[-1][2].extra["entered"] == 1
        np.testing.assert_array_equal(curve(rest), curve(whole)[cut:])
        np.testing.assert_array_equal(rest[-1][2].nets["w"].params, whole[-1][2].nets["w"].params)


def test_what_a_phase_prepares_is_made_once_and_reaches_every_step(monkeypatch):
    made = []

    def prepare(state):
        made.append(state)
        return {"twice": 2 * state.extra["entered"]}

    def step(state, batch, key, twice):
        return state.replace(step=state.step + 1), {"loss": twice + 0.0 * batch["x"].sum()}

    task = toy()
    phases = task.phases[0], replace(task.phases[1], step=step, prepare=prepare)
    chunks = run(replace(task, phases=phases), every=(2,))
    assert len(made) == 1
    np.testing.assert_array_equal(curve(chunks)[7:], [2.0] * 5)  # after the phase was entered


def test_a_steps_key_is_a_function_of_its_number():
    expected = [jax.random.uniform(jax.random.fold_in(stream(0, "train"), step)) for step in range(12)]
    np.testing.assert_array_equal(curve(run(toy()), "noise"), expected)
    np.testing.assert_array_equal(curve(run(toy(), every=(2, 3)), "noise"), expected)


def test_streamed_examples_are_the_resident_ones():
    np.testing.assert_array_equal(curve(run(toy(), resident=False)), curve(run(toy())))


def test_calls_end_at_every_multiple_asked_for():
    steps = {step for _, step, *_ in run(toy(), every=(4, 6))}
    assert steps >= {4, 6, 7, 8, 12}


def test_a_phase_compiles_once_however_it_is_cut(monkeypatch):
    compiled = []
    original = loop.compile_phase

    def spy(*args, **options):
        compiled.append(original(*args, **options))
        return compiled[-1]

    monkeypatch.setattr(loop, "compile_phase", spy)
    assert len(run(toy(), every=(2, 3))) > 4
    assert [call._cache_size() for call in compiled] == [1, 1]


@pytest.mark.parametrize("resident", [True, False])
def test_a_poisoned_weight_is_named_before_anything_else_happens(resident):
    with pytest.raises(loop.Diverged, match=r"w/params is not finite by step 3"):
        run(toy(poison=2), every=(1,), resident=resident)


def test_an_error_of_the_reader_comes_out_of_the_loop():
    mesh = make_mesh(jax.devices()[:1])
    bad = source()

    def read(indices):
        raise OSError("photo.png cannot be read")

    object.__setattr__(bad, "read", read)
    with pytest.raises(OSError, match=r"photo\.png"):
        list(fit(toy(), bad, boundaries=(5,), resident_bytes=0, mesh=mesh))


def test_a_call_takes_about_a_second_after_a_first_one_of_one_step():
    sizer = loop.CallSizer()
    assert sizer.next(1000) == 1
    sizer.record(1, 20.0)  # compilation says nothing
    assert sizer.next(1000) == 1
    sizer.record(1, 0.01)
    assert sizer.next(1000) == 100
    assert sizer.next(7) == 7
    cached = loop.CallSizer()
    cached.record(1, 0.1)  # a first call that did not compile
    assert cached.next(1000) == 10


def test_a_value_of_the_main_process_is_the_same_in_all_processes():
    assert run_on_main(lambda: (1, {"a": (2.5, None)})) == [1, {"a": [2.5, None]}]
