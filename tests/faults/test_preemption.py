"""A run on a machine that is taken away, with slow storage: SIGTERM, more of them while it saves, then SIGKILL."""

import signal
import time

import pytest
from helpers import Program, assert_same, checkpoints, config_of, ending, until, without_report

from genjax import tasks
from genjax.engine import checkpoint
from genjax.engine.phase import scheduled_phases
from genjax.run.training import train

pytestmark = pytest.mark.optimized
SLOW = 1.2  # seconds of a save


def on_slow_storage():
    """The third save and those after it take `SLOW` seconds more: half before anything is written, half after it."""
    without_report()
    real = checkpoint.Checkpoints._orbax.func

    def orbax(self):
        saver, args = real(self)
        save = saver.save

        def slow(path, **given):
            late = int(path.parent.name.split(".")[0]) >= 3
            time.sleep(late * SLOW / 2)
            save(path, **given)
            time.sleep(late * SLOW / 2)

        saver.save = slow
        return saver, args

    checkpoint.Checkpoints._orbax = property(orbax)


def saving(path):
    """Whether a checkpoint is being written after the first two."""
    return checkpoints(path)[-1:] == [2] and any(path.glob("checkpoints/*.partial"))


def test_a_run_that_saves_slowly_ends_the_save_however_often_it_is_asked(flags, config, whole, tmp_path):
    program = Program("genjax.train", *flags, f"--workdir={tmp_path}", before=on_slow_storage)
    until(lambda: saving(tmp_path))
    for _ in range(3):
        program.kill(signal.SIGTERM)
        time.sleep(0.1)
    assert saving(tmp_path)
    result = program.wait()
    assert result.code == 128 + signal.SIGTERM, result.err
    assert "SIGTERM: saved at step 3 of" in result.err
    assert checkpoints(tmp_path) == [1, 2, 3]
    assert not list(tmp_path.glob("checkpoints/*.partial*"))
    assert train(config(), tmp_path) == 0
    assert_same(ending(tmp_path), ending(whole))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)])
def test_a_save_that_is_ended_leaves_the_one_before(number, code, flags, config, whole, tmp_path):
    """SIGKILL, when a scheduler's patience ends, and a user's second signal."""
    program = Program("genjax.train", *flags, f"--workdir={tmp_path}", before=on_slow_storage)
    until(lambda: saving(tmp_path))
    program.kill(signal.SIGTERM)
    time.sleep(0.1)
    program.kill(number)
    assert program.wait().code == code
    assert saving(tmp_path)
    assert train(config(), tmp_path) == 0
    assert_same(ending(tmp_path), ending(whole))
    assert not list(tmp_path.glob("checkpoints/*.partial*"))


def test_a_run_is_saved_before_the_program_of_its_next_phase_is_compiled(tmp_path):
    """Which takes minutes for large nets, and hears no signal."""
    config = config_of("ae_greedy", save_every=10**6, keep=10)
    ends = [scheduled.stop for scheduled in scheduled_phases(tasks.build(config, (28, 28, 1)))]
    assert len(ends) > 1
    assert train(config, tmp_path) == 0
    assert checkpoints(tmp_path) == ends
