"""A resumed run is the uninterrupted one, bit for bit: state, rows of metrics and images."""

import os
import shutil
import signal

import jax
import numpy as np
import pytest
from helpers import assert_same, checkpoints, config_of, ending, leaves, with_remedies

from genjax.data import load, positions
from genjax.data.feed import Feed
from genjax.engine import loop
from genjax.engine.mesh import make_mesh
from genjax.engine.phase import Phase, Task, scheduled_phases
from genjax.run.recorder import Recorder
from genjax.run.training import train

STEPS = 5


@pytest.fixture(autouse=True)
def _without_report(monkeypatch):
    monkeypatch.setattr(Recorder, "report", lambda self: None)  # drawing takes longer than such a run


@pytest.fixture(scope="module")
def config(images):
    """Makes a short config with an average, whose rows, samples and epochs (2.5 steps) end at different steps."""

    def make(name, **overrides):
        given = {"steps": STEPS, "log_every": 3, "sample_every": 2, "save_every": STEPS, "keep": STEPS}
        given |= {"data__name": f"folder:{images}"}
        given |= {"ema__half_life": 100.0} if "ema" in config_of(name) else {}
        return config_of(name, **given | overrides)

    return make


@pytest.fixture(scope="module")
def whole(config, tmp_path_factory):
    """Per config, what the uninterrupted run ends with."""
    known = {}

    def run(name):
        if name not in known:
            path = tmp_path_factory.mktemp("whole") / name
            assert train(config(name), path) == 0
            known[name] = ending(path)
        return known[name]

    return run


def stop_at(monkeypatch, step, number=signal.SIGTERM):
    """Send this process a signal when a step is done; calls take one step each."""
    real = loop.train

    def watched(*args):
        for chunk in real(*args):
            if chunk.step == step:
                os.kill(os.getpid(), number)
            yield chunk

    monkeypatch.setattr(loop, "CALL_SECONDS", 0)
    monkeypatch.setattr(loop, "train", watched)


def cut_short(whole, run, step):
    """A copy of a finished run with the checkpoints and the images that it had after a step, and too many rows."""
    shutil.copytree(whole, run)
    for path in run.glob("checkpoints/*"):
        if int(path.name) > step:
            shutil.rmtree(path)
    for path in run.glob("samples/step_*"):
        if int(path.stem.removeprefix("step_")) > step:
            path.unlink()


@pytest.mark.parametrize("step", [2, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 3, 4))])  # all: next test
def test_a_run_that_was_asked_to_stop_after_any_step_continues_to_the_same_bits(
    step, config, whole, tmp_path, monkeypatch, capsys
):
    with monkeypatch.context() as patch:
        stop_at(patch, step)
        assert train(config("gan"), tmp_path) == 128 + signal.SIGTERM
    assert checkpoints(tmp_path) == [step]
    assert f"SIGTERM: saved at step {step} of {STEPS}" in capsys.readouterr().err
    assert train(config("gan"), tmp_path) == 0
    assert_same(ending(tmp_path), whole("gan"))


@pytest.mark.parametrize(
    "name", ["gan", *(pytest.param(n, marks=pytest.mark.slow) for n in ("dcgan", "wgan_gp", "demo"))]
)
def test_a_run_that_was_stopped_after_every_step_ends_at_the_same_bits(name, config, whole, tmp_path, monkeypatch):
    for step in range(1, STEPS):
        with monkeypatch.context() as patch:
            stop_at(patch, step, signal.SIGINT)
            assert train(config(name), tmp_path) == 128 + signal.SIGINT
        assert checkpoints(tmp_path) == list(range(1, step + 1))
    assert train(config(name), tmp_path) == 0
    assert_same(ending(tmp_path), whole(name))


def test_a_run_with_all_remedies_that_was_cut_short_ends_at_the_same_bits(tmp_path):
    given = {"steps": STEPS, "log_every": 3, "sample_every": 2, "save_every": 2, "data__split": "train[:28]"}
    assert train(with_remedies(**given), tmp_path / "whole") == 0
    cut_short(tmp_path / "whole", tmp_path / "run", 2)
    assert train(with_remedies(**given), tmp_path / "run") == 0
    found = ending(tmp_path / "run")
    assert_same(found, ending(tmp_path / "whole"))
    parts = ("'params'", "'opt'", "'ema'", "'batch_stats'", "'spectral'", "'replay'", "'class_onehot'", "'step'")
    for part in (*parts, "step_00000005.png", "row 3", "row 5"):  # what is compared, here and above
        assert any(part in name for name in found), part


PHASES = {
    "ae_greedy": {"steps": 3, "finetune__steps": 2, "optimizer__name": "adam"},
    "pretrain_classifier": {
        "steps": 4,
        "pretrain__steps": 3,
        "labels": 10,
        "data__name": "fashion_mnist_10k",
        "data__split": "train[:28]",
    },
    "progan": {
        "steps": 3,
        "growth__start": 4,
        "growth__stable": 0.016,
        "data__size": "8",
        "data__resize": "squash",
        "generator__channels": (6, 4),
        "critic__channels": (6, 4),
    },
    "style_gatys": {"steps": 4, "coarse_steps": 3, "data__name": "image:docs/images/style/cat.jpg"},
    "style_adain": {"steps": 7, "data__name": "pairs:shapes_32,shapes_32", "data__split": "train[:28]"},
}
"""Runs whose phases are of the steps 1 to 3, two or three more, and two more; of progan 2, 2 (it fades in) and 3.
Gatys' targets are computed before steps 1 and 4, and again when a run resumes."""


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n != "ae_greedy" else n for n in PHASES]
)  # slow: test_style, tasks/test_progressive, tasks/test_adain and test_configs see their states as well
def test_a_run_that_was_cut_short_within_and_between_phases_ends_at_the_same_bits(name, config, tmp_path, monkeypatch):
    given = config(name, **PHASES[name], save_every=3)
    assert train(given, tmp_path / "whole") == 0
    cut_short(tmp_path / "whole", tmp_path / "run", 3)  # between the first two phases
    with monkeypatch.context() as patch:
        stop_at(patch, 4)  # within the second
        assert train(given, tmp_path / "run") == 128 + signal.SIGTERM
    assert train(given, tmp_path / "run") == 0
    assert_same(ending(tmp_path / "run"), ending(tmp_path / "whole"))


@pytest.mark.slow  # one with classes: test_conditional
def test_a_stylegan2_that_was_cut_short_ends_at_the_same_bits(tmp_path):
    """Its path lengths' mean, average w and augmentation's strength are in the state."""
    small = {"data__size": "8", "data__resize": "squash", "save_every": 2}
    given = config_of("stylegan2", ada__interval=2, steps=STEPS, ema__half_life=50.0, **small)
    given.generator.update(layers=2, channels=(6, 4))
    given.critic.channels = (6, 4)
    assert train(given, tmp_path / "whole") == 0
    cut_short(tmp_path / "whole", tmp_path / "run", 2)
    assert train(given, tmp_path / "run") == 0
    assert_same(ending(tmp_path / "run"), ending(tmp_path / "whole"))
    for part in ("path_length", "'ada'", "w_avg"):
        assert any(part in name for name in leaves(tmp_path / "run")), part


def test_a_signal_that_comes_while_a_row_is_written_is_still_saved_for(config, tmp_path, monkeypatch):
    real = Recorder.record

    def interrupted(self, chunk):
        real(self, chunk)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Recorder, "record", interrupted)
    assert train(config("gan"), tmp_path) == 128 + signal.SIGTERM
    assert checkpoints(tmp_path) == [1]


def test_a_signal_after_the_last_step_ends_a_run_as_done(config, whole, tmp_path, monkeypatch):
    stop_at(monkeypatch, STEPS)
    assert train(config("gan"), tmp_path) == 0
    assert_same(ending(tmp_path), whole("gan"))


@pytest.mark.parametrize("name", ["gan", pytest.param("wgan_gp", marks=pytest.mark.slow)])
def test_streamed_data_give_the_bits_of_resident_data_also_when_resumed(name, config, whole, tmp_path, monkeypatch):
    streamed = config(name, data__resident_gib=0.0)
    with monkeypatch.context() as patch:
        stop_at(patch, 2)
        assert train(streamed, tmp_path) == 128 + signal.SIGTERM
    assert train(streamed, tmp_path) == 0
    assert_same(ending(tmp_path), whole(name))


def test_the_bits_depend_on_the_seed_and_on_the_data(config, whole, tmp_path, images):
    """Else the comparisons above would prove nothing."""
    other = shutil.copytree(images, tmp_path / "images")
    (other / "19.png").unlink()
    for i, changed in enumerate([{"seed": 1}, {"data__name": f"folder:{other}"}]):
        assert train(config("gan", **changed), tmp_path / str(i)) == 0
        found, expected = leaves(tmp_path / str(i)), whole("gan")
        assert found.keys() < expected.keys()
        assert any(found[key] != expected[key] for key in found if "'ema'" in key)


def test_a_finished_run_that_is_started_again_changes_nothing(config, whole, tmp_path):
    for _ in range(2):
        assert train(config("gan"), tmp_path) == 0
        assert_same(ending(tmp_path), whole("gan"))


def test_a_longer_run_goes_on_from_a_shorter_one_when_forced(config, whole, tmp_path):
    assert train(config("gan", steps=4), tmp_path) == 0
    assert train(config("gan"), tmp_path, force=True) == 0
    assert leaves(tmp_path) == {k: v for k, v in whole("gan").items() if k.startswith("[")}


@pytest.mark.parametrize("resident_bytes", [0, 2**30])
@pytest.mark.parametrize("start", [0, 2, 5])
def test_a_step_reads_its_place_in_the_endless_shuffled_stream_wherever_reading_begins(resident_bytes, start, images):
    """Two phases; the second reads two batches of three a step, after the 3 x 4 examples of the first."""
    phases = (Phase("a", 3, 4, None), Phase("b", 9, 3, None, batches_per_step=2))
    spans_of = list(scheduled_phases(Task(None, phases)))
    source = load(config_of("gan", data__name=f"folder:{images}").data)
    feed = Feed(source, 7, make_mesh(), resident_bytes)
    expected = source.read(positions(7, source.size, 0, 3 * 4 + 9 * 6))
    span = spans_of[start >= 3]
    batches = feed.batches(span, start, 2)
    picks = batches.take(2)
    for i in range(2):
        x = feed.take_batch(feed.resident_data, jax.tree.map(lambda p: p[i], picks))["x"]  # noqa: B023
        first = (start + i) * 4 if start < 3 else 12 + (start + i - 3) * 6
        np.testing.assert_array_equal(
            np.asarray(x).reshape(-1, 28, 28, 1), expected[first : first + len(x) * x.shape[1]]
        )
    batches.close()


@pytest.mark.parametrize("resident_bytes", [0, 2**30])
@pytest.mark.parametrize("start", [3, 5])
def test_a_phase_of_few_examples_reads_the_first_of_the_shuffled_order_and_no_others(resident_bytes, start, images):
    """Seven of twenty, in batches of three, after the 3 x 4 examples of a phase that sees all."""
    span = list(scheduled_phases(Task(None, (Phase("a", 3, 4, None), Phase("b", 9, 3, None, subset=7)))))[1]
    source = load(config_of("gan", data__name=f"folder:{images}").data)
    feed = Feed(source, 5, make_mesh(), resident_bytes)
    few = positions(5, source.size, 0, 7)
    first = 12 + 3 * (start - 3)
    expected = source.read(few[positions(5, 7, first, 3 * 7)])
    batches = feed.batches(span, start, 7)
    picks = batches.take(7)
    found = [feed.take_batch(feed.resident_data, jax.tree.map(lambda p: p[i], picks))["x"][0] for i in range(7)]  # noqa: B023
    batches.close()
    np.testing.assert_array_equal(np.concatenate(found), expected)
    assert set(positions(5, 7, 14, 7)) == set(range(7))  # every epoch of the few has each of them once
