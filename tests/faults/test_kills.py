"""Whatever kills a run: what was saved stays, and the next start ends where an undisturbed run does."""

import os
import random
import shutil
import signal
import threading
import time

import pytest
from helpers import STEPS, Program, assert_same, checkpoints, ending, until, without_report

from genjax.engine import checkpoint
from genjax.run.training import train

pytestmark = pytest.mark.optimized


# -- kill -9


@pytest.mark.parametrize("kills", [5, pytest.param(20, marks=pytest.mark.slow)])
def test_a_run_killed_many_times_at_random_moments_ends_at_the_same_bits(kills, flags, config, tmp_path):
    steps = 60
    assert train(config(steps=steps, save_every=steps), tmp_path / "whole") == 0
    expected = ending(tmp_path / "whole")
    path, rng, started, killed = tmp_path / "run", random.Random(0), 1.0, []

    def start():
        flag = f"--config.steps={steps}"
        return Program("genjax.train", *flags, flag, f"--workdir={path}", before=without_report)

    def newest():
        return max(checkpoints(path), default=0)

    while len(killed) < kills:
        before, program = newest(), start()
        if rng.random() < 0.2:
            time.sleep(rng.uniform(0, started))  # while it starts
        else:
            started = until(lambda: newest() > before or not program.process.is_alive())  # noqa: B023
            time.sleep(rng.uniform(0, 0.2))  # about two saves
        program.kill(signal.SIGKILL)
        if program.wait().code == 0:  # it was faster: once more from the beginning
            assert_same(ending(path), expected)
            shutil.rmtree(path)
        else:
            killed.append((before, newest(), bool(list(path.glob("checkpoints/*.partial")))))

    assert start().wait().code == 0
    assert_same(ending(path), expected)
    assert {p.name for p in path.rglob("*") if p.suffix in (".partial", ".tmp")} == set()
    assert sum(0 < after < steps for _, after, _ in killed) >= 0.6 * kills, killed  # most: between first and last step
    assert sum(after > before for before, after, _ in killed) >= 0.4 * kills, killed  # and after progress of their own
    assert sum(in_a_save for *_, in_a_save in killed) >= 3 * (kills // 20), killed


def _die():
    os.kill(os.getpid(), signal.SIGKILL)


def die_before_the_arrays():
    """Kill this process in its third save, when the folder is made and empty."""
    _die_in(checkpoint, "_reserve")


def die_while_orbax_writes():
    """Kill this process in its third save, as soon as a file of Orbax appears."""
    real = checkpoint._reserve

    def watch(folder):
        while not any(p.is_file() for p in folder.rglob("*")):
            time.sleep(0.0002)
        _die()

    def hooked(path, size):
        real(path, size)
        if path.parent.name.startswith("00000003"):
            threading.Thread(target=watch, args=(path.parent,), daemon=True).start()

    checkpoint._reserve = hooked


def die_before_the_manifest():
    """Kill this process in its third save, when the arrays are written."""
    _die_in(checkpoint, "digests")


def die_before_the_rename():
    """Kill this process in its third save, when all is written under the partial name."""
    real = os.replace

    def hooked(source, target):
        if str(target).endswith("checkpoints/00000003"):
            _die()
        real(source, target)

    checkpoint.os.replace = hooked


def die_before_the_pruning():
    """Kill this process when its fourth save is in place and the oldest checkpoint is to go."""
    real = shutil.rmtree

    def hooked(path, **options):
        if str(path).endswith("checkpoints/00000001"):
            _die()
        real(path, **options)

    checkpoint.shutil.rmtree = hooked


def die_while_pruning():
    """Kill this process when the oldest checkpoint is half removed."""
    real = shutil.rmtree

    def hooked(path, **options):
        if str(path).endswith("checkpoints/00000001"):
            (path / "manifest.json").unlink()
            _die()
        real(path, **options)

    checkpoint.shutil.rmtree = hooked


def _die_in(module, name):
    real, calls = getattr(module, name), []

    def hooked(*args):
        calls.append(args)
        if len(calls) == 3:
            _die()
        return real(*args)

    setattr(module, name, hooked)


@pytest.mark.parametrize(
    ("moment", "kept"),
    [
        (die_before_the_arrays, [1, 2]),
        (die_while_orbax_writes, [1, 2]),
        (die_before_the_manifest, [1, 2]),
        (die_before_the_rename, [1, 2]),
        (die_before_the_pruning, [1, 2, 3, 4]),
        (die_while_pruning, [1, 2, 3, 4]),
    ],
)
def test_a_run_killed_within_a_save_continues_from_the_last_whole_checkpoint(
    moment, kept, flags, config, whole, tmp_path, capsys
):
    assert Program("genjax.train", *flags, f"--workdir={tmp_path}", before=moment).wait().code == -signal.SIGKILL
    assert checkpoints(tmp_path) == kept
    assert bool(list(tmp_path.glob("checkpoints/*.partial"))) == (kept == [1, 2])
    assert train(config(), tmp_path) == 0
    assert f"going on from step {kept[-1]}" in capsys.readouterr().err
    assert_same(ending(tmp_path), ending(whole))
    assert checkpoints(tmp_path) == checkpoints(whole) == [STEPS - 2, STEPS - 1, STEPS]


# -- signals and the lock


@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGTERM, marks=pytest.mark.slow), signal.SIGINT]
)  # slow: test_preemption sends it
def test_a_signal_saves_says_how_to_continue_and_exits_with_its_code(number, flags, whole, tmp_path):
    program = Program("genjax.train", *flags, f"--workdir={tmp_path}", before=without_report)
    until(lambda: checkpoints(tmp_path))
    program.kill(number)
    result = program.wait()
    assert result.code == 128 + number, result.err
    step = checkpoints(tmp_path)[-1]
    assert f"{signal.Signals(number).name}: saved at step {step} of {STEPS}" in result.err
    assert f"python -m genjax.train --workdir={tmp_path}" in result.err
    assert "Traceback" not in result.err
    again = Program("genjax.train", f"--workdir={tmp_path}", before=without_report)  # the command that was named
    assert again.wait().code == 0
    assert_same(ending(tmp_path), ending(whole))


def test_an_interrupt_before_there_is_anything_to_save_ends_without_a_traceback(flags, tmp_path):
    program = Program("genjax.train", *flags, f"--workdir={tmp_path}", before=interrupt_the_loading)
    result = program.wait()
    assert result.code == 130
    assert result.err.strip() == "error: interrupted"


def interrupt_the_loading():
    """Ctrl-C while the data are read."""
    from genjax import data

    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell has background processes ignore
    # Python may hear a signal a few instructions late; a sleep hears it at once.
    data.load = lambda config: (signal.raise_signal(signal.SIGINT), time.sleep(60))


def test_a_second_process_on_a_folder_is_refused_until_the_first_has_died(flags, whole, tmp_path):
    first = Program("genjax.train", *flags, f"--workdir={tmp_path}", before=hang_in_the_third_save)
    until(lambda: 2 in checkpoints(tmp_path) and '"saved": 2' in (tmp_path / "config.json").read_text())
    begun = (tmp_path / "config.json").stat().st_mtime_ns
    second = Program("genjax.train", *flags, f"--workdir={tmp_path}").wait()
    second.assert_refused(f"{tmp_path} is in use by process {first.process.pid}", lines=1)
    assert (tmp_path / "config.json").stat().st_mtime_ns == begun
    first.kill(signal.SIGKILL)
    assert first.wait().code == -signal.SIGKILL
    assert Program("genjax.train", *flags, f"--workdir={tmp_path}", before=without_report).wait().code == 0
    assert_same(ending(tmp_path), ending(whole))


def hang_in_the_third_save():
    """Stay alive, holding the folder."""
    real = checkpoint.Checkpoints.save

    def hooked(self, state, notes, **options):
        if int(state.step) == 3:
            time.sleep(600)
        real(self, state, notes, **options)

    checkpoint.Checkpoints.save = hooked
