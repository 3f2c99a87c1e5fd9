"""Two processes are one run: the same bits, one writer, and when one stops, fails or dies, so does the other."""

import errno
import fcntl
import json
import os
import shutil
import signal
import socket
import time

import numpy as np
import pytest
from helpers import Program, assert_same, checkpoints, ending, flip_a_byte, leaves, rows, without_report

from genjax.data import feed
from genjax.data.feed import Batches
from genjax.engine import checkpoint, distributed, loop
from genjax.evaluation import features
from genjax.run.records import read_evaluations
from genjax.run.workdir import Workdir

STEPS = 8
TWO_DEVICES = {"XLA_FLAGS": f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count=2"}


@pytest.fixture(scope="module")
def flags(images):
    """A run that saves after every second step."""
    short = {"steps": STEPS, "log_every": 4, "sample_every": 4, "save_every": 2, "keep": STEPS, "ema.half_life": 100.0}
    short |= {"data.name": f"folder:{images}"}
    return ["--config=configs/gan.py:smoke", *(f"--config.{key}={value}" for key, value in short.items())]


def begin(*flags, before=without_report, other=without_report, otherwise=(), **environment):
    """Process 0, which first calls `before`, and process 1, which first calls `other` and has more flags."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"--coordinator=127.0.0.1:{free.getsockname()[1]}"
    place = ["--distributed", address, "--num_processes=2"]
    return [
        Program("genjax.train", *place, f"--process_id={i}", *flags, *more, before=call, **environment)
        for i, (call, more) in enumerate([(before, ()), (other, otherwise)])
    ]


def train(*flags, **options):
    """What both processes left."""
    return [program.wait() for program in begin(*flags, **options)]


def train_alone(*flags, before=without_report, **environment):
    """What one process with two devices left."""
    return Program("genjax.train", *flags, before=before, **TWO_DEVICES, **environment).wait()


@pytest.fixture(scope="module")
def whole(flags, tmp_path_factory):
    """The run of one process with two devices."""
    path = tmp_path_factory.mktemp("whole")
    assert train_alone(*flags, f"--workdir={path}").code == 0
    return path


@pytest.mark.slow
def test_two_processes_judge_as_one_does(flags, tmp_path):
    """Each looks at its share of the images; the features, and so all numbers, are the same to the bit."""
    asked = {"every": 8, "metrics": "frechet,swd", "features": "squeezenet:32", "samples": 70}
    flags = [*flags, *(f"--config.eval.{key}={value}" for key, value in asked.items())]
    two = train(*flags, f"--workdir={tmp_path / 'two'}", XDG_CACHE_HOME=str(tmp_path / "cache of two"))
    assert [one.code for one in two] == [0, 0], two[0].err
    one = train_alone(*flags, f"--workdir={tmp_path / 'one'}", XDG_CACHE_HOME=str(tmp_path / "cache of one"))
    assert one.code == 0, one.err
    results = [read_evaluations(tmp_path / name / "metrics.jsonl") for name in ("two", "one")]
    assert [row["values"] for row in results[0]] == [row["values"] for row in results[1]]
    assert "step 8: Fréchet distance (SqueezeNet fire9)" in two[0].err
    assert "Fréchet" not in two[1].err


def that_hears_a_signal_while_it_judges():
    """In the second of three shards of samples."""
    with_small_shards()
    real, extracted = features.FeatureCache._extract, []

    def extract(self, start, on_progress):
        if len(extracted) == 2:  # one is of the reference
            signal.raise_signal(signal.SIGTERM)
        extracted.append(start)
        assert len(extracted) <= 3
        return real(self, start, on_progress)

    features.FeatureCache._extract = extract


def with_small_shards():
    features.SHARD = 32
    without_report()


@pytest.mark.slow
def test_an_evaluation_of_two_processes_is_given_up_together_and_made_when_they_go_on(flags, tmp_path):
    """The reference, of 20 images, is one shard; of 70 samples there are three."""
    asked = {"every": 4, "metrics": "frechet,swd", "features": "squeezenet:32", "samples": 70}
    flags = [*flags, *(f"--config.eval.{key}={value}" for key, value in asked.items())]
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "before": with_small_shards}
    path = f"--workdir={tmp_path / 'run'}"
    first, second = train(*flags, path, other=that_hears_a_signal_while_it_judges, **cache)
    assert (first.code, second.code) == (143, 143), first.err + second.err
    assert f"SIGTERM: saved at step 4 of {STEPS}" in first.err
    assert read_evaluations(tmp_path / "run" / "metrics.jsonl") == []
    results = [train(*flags, path, other=with_small_shards, **cache)]
    results.append(train(*flags, f"--workdir={tmp_path / 'whole'}", other=with_small_shards, **cache))
    assert [one.code for two in results for one in two] == [0] * 4, results[0][0].err
    assert_same(leaves(tmp_path / "run"), leaves(tmp_path / "whole"))
    found, expected = (read_evaluations(tmp_path / name / "metrics.jsonl") for name in ("run", "whole"))
    assert [row["step"] for row in found] == [4, 4, 8, 8]
    assert [row["values"] for row in found] == [row["values"] for row in expected]


def at(step, act):
    """Do something when a call of the loop has come to a step."""
    real = loop.train

    def watched(*args):
        for chunk in real(*args):
            if chunk.step >= step:
                act()
            yield chunk

    loop.train = watched
    without_report()


# -- the same run


def with_a_clock_that_is_fast():
    """Alone, this process would take fewer steps a call than the other."""
    real = loop.time.perf_counter
    loop.time.perf_counter = lambda: 1e4 * real()
    without_report()


def test_two_processes_make_the_run_of_one_and_the_first_alone_writes_and_prints(flags, whole, tmp_path):
    first, second = train(*flags, f"--workdir={tmp_path}", other=with_a_clock_that_is_fast)
    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert_same(ending(tmp_path), ending(whole))
    assert {p.relative_to(tmp_path) for p in tmp_path.glob("*")} == {p.relative_to(whole) for p in whole.glob("*")}
    for i in (0, 1):  # both wrote arrays
        assert (tmp_path / f"checkpoints/{STEPS:08d}/state/ocdbt.process_{i}").is_dir()
    assert "phase train" in first.err
    assert "look at:" in first.out
    assert second.err == ""
    assert "look at:" not in second.out

    out = [tmp_path / "pair.npy", tmp_path / "alone.npy"]
    for run, file in zip((tmp_path, whole), out, strict=True):
        assert Program("genjax.sample", f"--workdir={run}", "--seeds=0-3", f"--out={file}").wait().code == 0
    np.testing.assert_array_equal(*map(np.load, out))


@pytest.mark.slow
def test_two_processes_have_the_curve_of_one_device(flags, whole, tmp_path):
    assert Program("genjax.train", *flags, f"--workdir={tmp_path}", before=without_report).wait().code == 0
    for found, expected in zip(rows(whole), rows(tmp_path), strict=True):
        assert found == pytest.approx(expected, rel=1e-4)


def that_reads_half_of_each_batch():
    real = feed.read_at

    def read_at(read, indices, side):
        assert len(indices) == 4
        return real(read, indices, side)

    feed.read_at = read_at
    without_report()


def test_of_streamed_data_each_process_reads_its_part(flags, whole, tmp_path):
    reads = {"before": that_reads_half_of_each_batch, "other": that_reads_half_of_each_batch}
    results = train(*flags, "--config.data.resident_gib=0.0", f"--workdir={tmp_path}", **reads)
    assert [r.code for r in results] == [0, 0], results[0].err + results[1].err
    assert_same(ending(tmp_path), ending(whole))


def that_reads_slowly():
    """Half a second for the batches of each call."""
    real = Batches.take

    def take(self, count):
        time.sleep(0.5)
        return real(self, count)

    Batches.take = take
    without_report()


def test_the_process_that_the_others_wait_for_is_named(flags, whole, tmp_path):
    first, second = train(*flags, f"--workdir={tmp_path}", other=that_reads_slowly)
    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert first.err.count("warning: process 1 (") == 1
    assert "of the time, process 0 (" in first.err
    assert_same(ending(tmp_path), ending(whole))
    (*_, row) = (json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines())
    quick, slow = row["reading"]
    assert slow > 0.5 > quick


# -- stopped and continued


def terminated():
    at(3, lambda: signal.raise_signal(signal.SIGTERM))


@pytest.mark.slow
def test_a_signal_to_both_processes_stops_them_as_a_signal_to_one(flags, tmp_path):
    first, second = train(*flags, f"--workdir={tmp_path}", before=terminated, other=terminated)
    assert (first.code, second.code, second.err) == (143, 143, ""), first.err
    assert f"SIGTERM: saved at step {checkpoints(tmp_path)[-1]} of {STEPS}" in first.err


def test_a_signal_to_one_process_stops_both_at_one_step_and_any_number_of_processes_goes_on(flags, whole, tmp_path):
    path = f"--workdir={tmp_path}"
    first, second = train(*flags, path, other=terminated)
    assert (first.code, second.code) == (143, 143), first.err + second.err
    (*_, step) = checkpoints(tmp_path)
    assert 3 <= step < STEPS
    assert f"SIGTERM: saved at step {step} of {STEPS}; to resume, in every process:" in first.err
    assert second.err == ""

    flip_a_byte(tmp_path / f"checkpoints/{step:08d}")  # so that step 2 is the newest whole one
    alone = train_alone(path, before=terminated)
    assert alone.code == 143, alone.err
    assert "going on from step 2" in alone.err

    flip_a_byte(tmp_path / f"checkpoints/{checkpoints(tmp_path)[-1]:08d}")
    first, second = train(path)
    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert "is damaged" in first.err
    assert "going on from step 2" in first.err
    assert second.err == ""
    found = ending(tmp_path)
    assert_same(found, ending(whole))


# -- lost


def killed():
    distributed.HEARTBEAT_SECONDS = 10
    at(3, lambda: os.kill(os.getpid(), signal.SIGKILL))


def waiting():
    """For what the other is to send."""
    distributed.HEARTBEAT_SECONDS = 10
    without_report()


def busy():
    """With something that needs no other."""
    distributed.HEARTBEAT_SECONDS = 10
    at(3, lambda: time.sleep(100))


@pytest.mark.parametrize(
    ("victim", "state"),
    [
        (0, waiting),
        (1, busy),
        pytest.param(1, waiting, marks=pytest.mark.slow),
        pytest.param(0, busy, marks=pytest.mark.slow),
    ],
)
def test_when_a_process_is_killed_the_other_says_so_and_stops(victim, state, flags, tmp_path):
    before, other = (state, killed) if victim else (killed, state)
    programs = begin(*flags, f"--workdir={tmp_path}", before=before, other=other)
    assert programs[victim].wait().code == -signal.SIGKILL
    result = programs[1 - victim].wait(300)
    assert result.code == 1, result.err
    assert result.err.count("error: another process was lost; restart all processes to resume\nthe last good") == 1
    assert f"the last good checkpoint is of step 2, in {tmp_path}/checkpoints" in result.err
    assert "Traceback" not in result.err


# -- failures of one process


def with_a_full_disk():
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    Workdir.log = full
    without_report()


def test_a_full_disk_ends_both(flags, tmp_path):
    first, second = train(*flags, f"--workdir={tmp_path}", before=with_a_full_disk)
    assert (first.code, second.code) == (1, 1), first.err + second.err
    assert "No space left on device" in first.err
    assert "error: process 0: [Errno 28] No space left on device\nthe last good checkpoint is of step 2" in second.err


def that_cannot_save():
    def save(self, state, notes, **options):
        raise checkpoint.SaveError("could not save")

    checkpoint.Checkpoints.save = save
    without_report()


def test_a_failure_of_one_process_while_the_others_wait_for_it_ends_both(flags, tmp_path):
    first, second = train(*flags, f"--workdir={tmp_path}", other=that_cannot_save)
    assert (first.code, second.code) == (1, 1), first.err + second.err
    assert "error: could not save\n" in second.err
    assert "error: another process was lost" in first.err


def that_has_no_data():
    from genjax import data
    from genjax.errors import InputError

    def load(config):
        raise InputError("no such folder")

    data.load = load


def test_what_one_process_refuses_all_refuse(flags, whole, tmp_path):
    path = f"--workdir={tmp_path}"
    for result, text in zip(train(*flags, path, other=that_has_no_data), ("process 1: ", ""), strict=True):
        assert (result.code, result.err) == (2, f"error: {text}no such folder\n")
    for result in train(*flags, path, otherwise=["--config.seed=1"]):
        assert (result.code, result.err) == (2, "error: processes 0 and 1 differ:\n  config.seed: 0 -> 1\n")
    for result, text in zip(train(*flags, path, otherwise=[path + "2"]), ("process 1: ", ""), strict=True):
        assert result.code == 2
        assert f"error: {text}{path}2 is not process 0's" in result.err
    (tmp_path / ".holder").write_text("process 7")
    with open(tmp_path / ".lock", "a+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for result, text in zip(train(*flags, path), ("", "process 0: "), strict=True):
            assert result.code == 2
            assert f"error: {text}{tmp_path} is in use by process 7" in result.err
    run = shutil.copytree(whole, tmp_path / "run")
    for result in train(*flags, "--config.seed=1", f"--workdir={run}"):
        assert result.code == 2
        assert "seed: 0 -> 1" in result.err


# -- how processes find each other


def test_a_cluster_is_found_in_the_environment(flags):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    slurm = {"JOB_ID": 1, "STEP_NODELIST": "127.0.0.1", "NTASKS": 2, "LOCALID": 0, "STEP_NUM_NODES": 1}
    slurm = {f"SLURM_{key}": str(value) for key, value in slurm.items()} | {"JAX_COORDINATOR_PORT": str(port)}
    programs = [
        Program("genjax.train", "--distributed", "--dry_run", *flags, SLURM_PROCID=str(i), **slurm) for i in (0, 1)
    ]
    first, second = (program.wait() for program in programs)
    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert "generator" in first.out
    assert "generator" not in second.out


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--distributed"], "--distributed found no cluster (Slurm, Open MPI, TPU, Kubernetes) in the environment"),
        (["--coordinator=a:1", "--process_id=0"], "--num_processes missing: give all of"),
        (["--coordinator=a", "--process_id=0", "--num_processes=2"], "--coordinator=a: expected HOST:PORT"),
        (["--coordinator=a:1", "--process_id=2", "--num_processes=2"], "--process_id=2: expected 0 to 1"),
    ],
)
def test_wrong_flags_are_refused(flags, said):
    program = Program("genjax.train", "--config=configs/gan.py:smoke", "--workdir=unused", *flags)
    program.wait().assert_refused(said, lines=1)


def impatient():
    distributed.CONNECT_SECONDS = 2


@pytest.mark.parametrize("process", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_processes_that_do_not_find_each_other_give_up(process):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place = [f"--coordinator=127.0.0.1:{port}", f"--process_id={process}", "--num_processes=2"]
    result = Program("genjax.train", "--workdir=unused", *place, before=impatient).wait()
    assert result.code == 1
    assert f"error: not all processes came to the coordinator 127.0.0.1:{port} within 2 s" in result.err
