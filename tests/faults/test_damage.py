"""Whatever spoils a run, be it files, a full disk or NaN: it is named, and what was saved before stays and is used."""

import dataclasses
import errno
import os
import resource
import shutil
import subprocess

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import STEPS, Program, assert_same, checkpoints, ending, flip_a_byte, largest, leaves, rows, until

from genjax import tasks
from genjax.engine import checkpoint, loop
from genjax.errors import InputError
from genjax.report import figures
from genjax.run.training import train
from genjax.run.workdir import Workdir

pytestmark = [pytest.mark.optimized, pytest.mark.usefixtures("traced_once")]

# -- damaged files


def test_a_torn_last_row_of_metrics_is_dropped_and_written_again(config, whole, tmp_path):
    run = shutil.copytree(whole, tmp_path / "run")
    shutil.rmtree(run / "checkpoints" / f"{STEPS:08d}")
    text = (run / "metrics.jsonl").read_text()
    (run / "metrics.jsonl").write_text(text[:-20])
    assert train(config(), run) == 0
    assert_same(ending(run), ending(whole))


def truncate(folder):
    """Half of the largest file."""
    path = largest(folder)
    os.truncate(path, path.stat().st_size // 2)
    return path.name


def remove_a_file(folder):
    """The largest file."""
    path = largest(folder)
    path.unlink()
    return path.name


def remove_the_manifest(folder):
    """The list of files and digests."""
    (folder / "manifest.json").unlink()
    return "manifest.json"


def tear_the_manifest(folder):
    """Half of the list of files and digests."""
    os.truncate(folder / "manifest.json", 100)
    return "manifest.json"


def empty(folder):
    """Every file and folder in it."""
    shutil.rmtree(folder)
    folder.mkdir()
    return "manifest.json"


DAMAGES = [flip_a_byte, truncate, remove_a_file, remove_the_manifest, tear_the_manifest, empty]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_newest_checkpoint_is_named_and_the_one_before_it_is_used(damage, config, whole, tmp_path, capsys):
    run = shutil.copytree(whole, tmp_path / "run")
    name = damage(run / "checkpoints" / f"{STEPS:08d}")
    assert train(config(), run) == 0
    said = capsys.readouterr().err
    warnings = [line for line in said.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == 1
    assert f"checkpoints/{STEPS:08d} is damaged" in warnings[0]
    assert name in warnings[0]
    assert f"going on from step {STEPS - 1}" in said
    assert_same(ending(run), ending(whole))


def contents(folder):
    """Every file of a run with its bytes, except those of the lock."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in (".lock", ".holder")
    }


def damage_all(run):
    """Damage each checkpoint in another way; texts of the message."""
    for step, damage in zip(checkpoints(run), DAMAGES, strict=False):
        yield f"{step:08d} is damaged"
        yield damage(run / "checkpoints" / f"{step:08d}")


def move_away(run):
    """Move the folder of checkpoints away."""
    shutil.move(run / "checkpoints", run.parent / "elsewhere")
    return ["there is none in checkpoints/"]


@pytest.mark.parametrize("lose", [damage_all, move_away])
def test_a_run_that_lost_its_checkpoints_is_refused_and_nothing_is_deleted_even_if_forced(
    lose, config, whole, tmp_path, capsys
):
    run = shutil.copytree(whole, tmp_path / "run")
    texts = list(lose(run))
    before = contents(run)
    with pytest.raises(InputError) as refused:
        train(config(), run)
    for text in [*texts, f"rows up to step {STEPS}, 3 images", "--resume=force", "set_aside"]:
        assert text in str(refused.value)
    assert contents(run) == before
    assert train(config(), run, force=True) == 0
    assert f"the old run is now in {run}/set_aside/1" in capsys.readouterr().err
    assert contents(run / "set_aside" / "1") == before
    assert_same(ending(run), ending(whole))
    assert train(config(), run) == 0


def test_a_damaged_checkpoint_that_is_written_again_is_kept(config, whole, tmp_path):
    run = shutil.copytree(whole, tmp_path / "run")
    flip_a_byte(run / "checkpoints" / f"{STEPS:08d}")
    before = contents(run / "checkpoints" / f"{STEPS:08d}")
    assert train(config(), run) == 0
    assert contents(run / "checkpoints" / f"{STEPS:08d}.damaged") == before


# -- full disks


def _full(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (checkpoint, "_reserve"),
        (checkpoint, "digests"),
        (checkpoint.json, "dump"),
        (checkpoint.os, "replace"),
        (Workdir, "log"),
        (figures, "save_png"),
    ],
)
def test_a_disk_that_fills_up_ends_the_run_with_a_short_message_and_the_checkpoints_stay(
    owner, name, config, whole, tmp_path, monkeypatch, capsys
):
    run = shutil.copytree(whole, tmp_path / "run")
    for step in (STEPS - 1, STEPS):
        shutil.rmtree(run / "checkpoints" / f"{step:08d}")
    with monkeypatch.context() as patch:
        at_first_chunk(patch, lambda: patch.setattr(owner, name, _full))
        assert train(config(), run) == 1
    said = capsys.readouterr().err.split("error: ")[1]
    assert "No space left on device" in said
    assert f"the last good checkpoint is of step {checkpoints(run)[-1]}, in " in said
    assert len(said.strip().splitlines()) <= 2
    assert not list(run.rglob("*.partial*"))
    assert train(config(), run) == 0  # when there is room again
    assert_same(ending(run), ending(whole))


def at_first_chunk(monkeypatch, act):
    """Do something when the first call of the loop has returned."""
    real = loop.train

    def watched(*args):
        for i, chunk in enumerate(real(*args)):
            if i == 0:
                act()
            yield chunk

    monkeypatch.setattr(loop, "train", watched)


def limit_the_second_save():
    """Refuse this process files larger than an array, or a page."""
    real = checkpoint.Checkpoints.save

    def hooked(self, state, notes, **options):
        if int(state.step) == 2:
            resource.setrlimit(resource.RLIMIT_FSIZE, (2**13, 2**13))
        real(self, state, notes, **options)

    checkpoint.Checkpoints.save = hooked


def limit_the_second_save_unforeseen():
    """The same where Orbax itself meets the limit, as when another process fills the disk."""
    limit_the_second_save()
    checkpoint._reserve = lambda path, size: None
    writer = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=2)  # of the messages: the limit is not on it
    os.dup2(writer.stdin.fileno(), 2)


@pytest.mark.parametrize("limit", [limit_the_second_save, limit_the_second_save_unforeseen])
def test_a_real_limit_on_writing_leaves_the_previous_checkpoint(limit, flags, config, whole, tmp_path):
    program = Program("genjax.train", *flags, f"--workdir={tmp_path}", before=limit)
    result = program.wait()
    assert result.code == 1, result.err
    until(lambda: "the last good checkpoint is of step 1, in " in program.read("err"))
    said = program.read("err")
    assert f"error: could not save step 2 to {tmp_path}/checkpoints; the checkpoint of step 1 stays: " in said
    if limit is limit_the_second_save:  # else threads of TensorStore print tracebacks around the message
        assert "File too large" in said
        assert "Traceback" not in said
        assert len(said.split("error: ")[1].strip().splitlines()) == 2
    assert checkpoints(tmp_path) == [1]
    assert train(config(), tmp_path) == 0
    assert_same(ending(tmp_path), ending(whole))


# -- NaN and infinity


def poison(monkeypatch, step, change):
    """Let `change` spoil the state and the metrics of the update that makes `step` of an otherwise sound task."""
    real = tasks.build

    def build(*args):
        task = real(*args)
        (phase,) = task.phases

        def spoilt(state, batch, key):
            state, metrics = phase.step(state, batch, key)
            return jax.tree.map(
                lambda bad, good: jnp.where(state.step == step, bad, good), change(state, metrics), (state, metrics)
            )

        return dataclasses.replace(task, phases=(dataclasses.replace(phase, step=spoilt),))

    monkeypatch.setattr(tasks, "build", build)


def _spoil(tree, name, value):
    """One entry of one leaf replaced."""

    def change(path, leaf):
        found = "/".join(str(getattr(p, "name", getattr(p, "key", getattr(p, "idx", p)))) for p in path)
        return leaf.at[(0,) * leaf.ndim].set(value) if found == name else leaf

    changed = jax.tree_util.tree_map_with_path(change, tree)
    assert any(a is not b for a, b in zip(jax.tree.leaves(changed), jax.tree.leaves(tree), strict=True)), name
    return changed


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("metrics critic/loss", -np.inf, "critic/loss became -inf at step 5"),
        pytest.param(
            "state nets/critic/opt/0/nu/Dense_0/kernel",
            np.inf,
            "critic/opt/0/nu/Dense_0/kernel is not finite by step 5",
            marks=pytest.mark.slow,  # as the next
        ),
        ("state ema/generator/params/Dense_1/bias", np.nan, "generator/params/Dense_1/bias is not finite by step 5"),
    ],
)
def test_what_is_not_finite_stops_the_run_is_named_and_never_saved(
    name, value, said, config, tmp_path, monkeypatch, capsys
):
    part, leaf = name.split(" ")
    if part == "state":
        poison(monkeypatch, 5, lambda state, metrics: (_spoil(state, leaf, value), metrics))
    else:
        poison(monkeypatch, 5, lambda state, metrics: (state, metrics | {leaf: jnp.full_like(metrics[leaf], value)}))
    assert train(config(), tmp_path) == 1
    message = capsys.readouterr().err.split("error: ")[1]
    assert message.splitlines()[0].endswith(said)
    assert "the last good checkpoint is of step 4" in message
    assert checkpoints(tmp_path) == [2, 3, 4]
    assert all(is_finite(tmp_path, step) for step in (2, 3, 4))
    assert [row["step"] for row in rows(tmp_path)] == [3]


def is_finite(run, step):
    """Whether every number of a checkpoint is."""
    found = leaves(run, step).values()
    return all(np.isfinite(np.frombuffer(data, kind)).all() for kind, _, data in found if kind.startswith("float"))


def test_within_a_call_of_many_steps_the_first_bad_step_and_metric_are_named(config, tmp_path, monkeypatch, capsys):
    poison(monkeypatch, 5, lambda state, metrics: (_spoil(state, "nets/critic/params/Dense_0/bias", np.nan), metrics))
    every = {"log_every": STEPS, "sample_every": STEPS, "save_every": STEPS}
    assert train(config(**every), tmp_path) == 1
    said = capsys.readouterr().err
    assert "/loss became nan at step 6" in said  # the parameter of step 5 is first used by step 6
    assert "there is no checkpoint yet" in said
    assert checkpoints(tmp_path) == []


@pytest.mark.slow  # what is not finite stops the run in the tests before this one too
def test_a_learning_rate_beyond_reason_ends_in_an_error_not_in_a_checkpoint(config, tmp_path, capsys):
    wild = {"optimizer__critic__learning_rate": 1e30, "optimizer__generator__learning_rate": 1e30}
    assert train(config(**wild), tmp_path) == 1
    assert "error: " in capsys.readouterr().err
    assert all(is_finite(tmp_path, step) for step in checkpoints(tmp_path))
