"""Sweeps on clusters: what schedulers are told, what is done about runs that are lost, and the table of one machine.

submitit's local executor stands for Slurm, and two nodes on loopback for a Ray cluster. Most runs are a script that
writes the folder of a finished run.
"""

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers import ROOT, checkpoints, config_of, until

from experiments import run as command
from experiments.sweeps import launch, machine, on_local, on_ray, on_slurm, outcome, process
from experiments.sweeps.executor import LOST, SAVED
from experiments.sweeps.experiment import load
from experiments.sweeps.needs import Needs, as_ray, as_slurm
from experiments.sweeps.plan import Run, plan
from genjax.errors import InputError

NEEDS = Needs(cores=1, minutes=5)
FILE = '''"""A title."""

BASE = "configs/demo.py:smoke"
OVERRIDES = {"data.split": "train[:40]", "critic": {"net": "mlp", "widths": [5]}, "steps": 60, "save_every": 10}
SEEDS = 1
REPORT = {"critic/loss": "loss", "generator/loss": "generator's loss"}
NEEDS = {"cores": 1, "minutes": 5}


def variants():
    return {f"{n} images": {"ema.half_life": n} for n in (0, 500)}
'''
DUMMY = """
    import json, os, pathlib, signal, sys, time
    folder = pathlib.Path(sys.argv[1].removeprefix("--run="))
    steps, name = int(sys.argv[2]), folder.name
    tries = folder / "tries"
    with open(tries, "a") as file:
        file.write("x")
    first = tries.stat().st_size == 1
    if "error" in name:
        sys.exit("error: the data are gone")
    if "hopeless" in name:
        os.kill(os.getpid(), signal.SIGKILL)
    if "lost" in name and first:
        os.kill(os.getppid(), signal.SIGKILL)  # the scheduler's worker
        sys.stdin.read()
        sys.exit(7)
    if "slow" in name:
        signal.signal(signal.SIGTERM, lambda *_: (folder / "heard").touch() or sys.exit(143))
        (folder / "running").touch()
        time.sleep(120)
    (folder / "checkpoints" / f"{steps:08d}").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    row = {"step": steps, "seconds": 1.0, "critic/loss": len(name), "threads": os.environ.get("OMP_NUM_THREADS")}
    (folder / "metrics.jsonl").write_text(json.dumps(row) + "\\n")
"""


def a_run(folder, variant):
    config = config_of("demo", data__split="train[:40]")
    return Run(variant, 0, None, config, config.steps, folder / variant)


@pytest.fixture
def dummies(tmp_path, monkeypatch):
    """Runs are a script, and folders are called as their variants; a function that makes some."""
    script = tmp_path / "dummy.py"
    script.write_text(textwrap.dedent(DUMMY))
    monkeypatch.setattr(
        process, "command", lambda run: [sys.executable, str(script), f"--run={run.path.absolute()}", str(run.steps)]
    )
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    return lambda *variants: [a_run(tmp_path / "sweep", variant) for variant in variants]


def tries(run):
    return len((run.path / "tries").read_text())


# -- what is done about a run that is lost


class Lost:
    """A scheduler that loses each submission of a run; each of them saves up to the next of `steps`."""

    at_once, resubmits, leaves = None, True, ""

    def __init__(self, code, steps):
        self.code, self.steps, self.submitted = code, iter(steps), 0

    def submit(self, run):
        self.submitted += 1
        if step := next(self.steps):
            (run.path / "checkpoints" / f"{step:08d}").mkdir(parents=True, exist_ok=True)
        return self

    def poll(self):
        return self.code

    def reason(self, code):
        return f"code {code}"


@pytest.mark.parametrize(
    ("code", "steps", "submitted"),
    [
        (LOST, (0, 0, 0), 3),  # nothing is ever saved
        (SAVED, (1, 2, 3, 4, 4, 4), 6),  # three times at step 4
        (LOST, (0, 0, 1, 1, 1), 5),  # what was saved counts anew
        (1, (0,), 1),  # the run's own failure
        (2, (0,), 1),
    ],
)
def test_a_lost_run_is_submitted_again_while_it_gets_on(code, steps, submitted, tmp_path):
    scheduler = Lost(code, steps)
    run = a_run(tmp_path, "a")
    ended = launch.execute([run], scheduler, lambda run: None, lambda line: None)
    assert scheduler.submitted == submitted
    assert ended == ({"a, seed 0": f"code {code}"}, 0)


def test_on_one_machine_nothing_is_submitted_again():
    assert not on_local.OnLocal.resubmits


# -- what schedulers are told


def test_needs_in_slurms_words():
    needs = Needs(cores=2, memory_gib=8, minutes=120, gpus=1)
    told = as_slurm(needs, {"partition": "gpu", "srun_args": ["--label"], "signal_delay_s": 300})
    assert told == {
        "name": "genjax",
        "timeout_min": 120,
        "mem_gb": 8,
        "cpus_per_task": 2,
        "gpus_per_node": 1,
        "slurm_partition": "gpu",
        "slurm_signal_delay_s": 300,
        "slurm_srun_args": ["--cpus-per-task=2", "--label"],
        "slurm_additional_parameters": {"no-requeue": True},
    }


@pytest.mark.parametrize(
    ("needs", "more", "words"),
    [
        (Needs(), {}, "how long may a run take"),
        (Needs(minutes=5, tpu="v5e-8"), {}, "knows no tpu"),
        (NEEDS, {"time": 7}, "SLURM has time .NEEDS: minutes."),
    ],
)
def test_what_slurm_cannot_be_told_is_refused(needs, more, words):
    with pytest.raises(InputError, match=words):
        as_slurm(needs, more)


def test_needs_in_rays_words():
    assert as_ray(Needs(cores=2, memory_gib=0.5, gpus=1)) == {
        "num_cpus": 2,
        "num_gpus": 1,
        "max_retries": 0,
        "memory": 2**29,
    }
    told = as_ray(Needs(tpu="v5e-8"))
    assert told["resources"] == {"TPU": 8}
    assert told["accelerator_type"] == "TPU-V5LITEPOD"


# -- a run's process


def test_cores_are_claimed_once(tmp_path, monkeypatch):
    monkeypatch.setattr(machine.tempfile, "gettempdir", lambda: str(tmp_path))
    pinned = []
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5, 7}, raising=False)
    monkeypatch.setattr(os, "sched_setaffinity", lambda _, cores: pinned.append(set(cores)), raising=False)
    first, second = machine.claim(1), machine.claim(2)
    assert pinned == [{3}, {5, 7}]
    with pytest.raises(InputError, match="NEEDS has 1 cores: of the 3 that this process may use, 0 are free"):
        machine.claim(1, patience=0)
    for lock in (*first, *second):
        lock.release()


@pytest.mark.parametrize(("seconds", "code"), [(99, -signal.SIGKILL), (0, 0)])
def test_a_runs_process_dies_with_the_one_that_started_it_or_ends_by_itself(seconds, code):
    program = (
        "import time; from experiments.sweeps import machine; machine.end_with_parent();"
        f"print('on', flush=True); time.sleep({seconds})"
    )
    argv = [sys.executable, "-c", program]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as child:
        assert child.stdout.readline() == b"on\n"
        if seconds:
            child.stdin.close()
        assert child.wait(300) == code


def test_a_warning_of_the_cluster_asks_the_run_alone_to_save(dummies):
    (run,) = dummies("slow")
    run.path.mkdir(parents=True)
    call = process.call(run, 1)
    code = f"from experiments.sweeps import process; print(process.keep(process.Call(*{tuple(call)!r})))"
    job = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT, text=True)
    until((run.path / "running").exists)
    job.send_signal(signal.SIGUSR2)
    assert job.communicate(timeout=300)[0] == f"{SAVED}\n"
    assert (run.path / "heard").exists()
    assert (run.path / process.ENDED).read_text() == f"{SAVED}\n"


# -- through submitit


def slurm(folder, at_once=2):
    pytest.importorskip("submitit")
    return on_slurm.OnSlurm(folder, NEEDS, {}, at_once, cluster="local")


def ended_well(run):
    return None if outcome.state(run) == outcome.DONE else "it is not done"


def test_jobs_of_submitit_end_as_runs_do(dummies, tmp_path):
    runs = dummies("fine", "error", "lost")
    lines = []
    ended = launch.execute(runs, slurm(tmp_path / "sweep"), ended_well, lines.append)
    assert ended == ({"error, seed 0": "the data are gone"}, 0)
    assert [tries(run) for run in runs] == [1, 1, 2]
    assert sum("submitted again" in line for line in lines) == 1
    assert outcome.numbers(runs[0])["critic/loss"].value == 4


SBATCH = """
    import os, pathlib, subprocess, sys
    null = subprocess.DEVNULL
    environment = os.environ | {"SLURM_JOB_ID": "7"}
    subprocess.Popen(["timeout", "60", "bash", sys.argv[1]], env=environment, stdin=null, stdout=null, stderr=null)
    (pathlib.Path(__file__).parent / "script.sh").write_text(pathlib.Path(sys.argv[1]).read_text())
    print("Submitted batch job 7")
"""
SRUN = """
    import os, pathlib, sys
    (pathlib.Path(__file__).parent / "srun.txt").write_text(" ".join(sys.argv[1:]))
    argv = sys.argv[sys.argv.index(sys.executable) :]
    os.execvp(argv[0], argv)
"""
SACCT = """
    print("JobID|State|NodeList")
    print("7|RUNNING|here")
"""


def test_slurm_is_told_what_a_run_needs(dummies, tmp_path, monkeypatch):
    """By scripts in the place of Slurm's commands, which record what they are given and carry it out."""
    pytest.importorskip("submitit")
    (tmp_path / "bin").mkdir()
    for name, program in (("sbatch", SBATCH), ("srun", SRUN), ("sacct", SACCT)):
        (tmp_path / "bin" / name).write_text(f"#!{sys.executable}\n{textwrap.dedent(program)}")
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    needs = Needs(cores=2, memory_gib=8, minutes=120, gpus=1)
    scheduler = on_slurm.OnSlurm(tmp_path / "sweep", needs, {"partition": "gpu", "signal_delay_s": 300}, None)
    assert launch.execute(dummies("fine"), scheduler, ended_well, lambda line: None) == ({}, 0)
    script = (tmp_path / "bin" / "script.sh").read_text().splitlines()
    told = {line.removeprefix("#SBATCH ") for line in script if line.startswith("#SBATCH")}
    expected = {"--cpus-per-task=2", "--mem=8GB", "--time=120", "--gpus-per-node=1", "--partition=gpu"}
    assert expected | {"--signal=USR2@300", "--no-requeue"} <= told
    assert "--cpus-per-task=2" in (tmp_path / "bin" / "srun.txt").read_text()
    words = "sbatch: error: invalid partition specified: gpu"
    (tmp_path / "bin" / "sbatch").write_text(f"#!/bin/sh\necho {words} >&2\nexit 1")
    with pytest.raises(InputError, match=f"Slurm refuses other, seed 0: {words}"):
        launch.execute(dummies("other"), scheduler, ended_well, lambda line: None)


def test_a_misspelled_parameter_of_slurm_is_refused(tmp_path):
    pytest.importorskip("submitit")
    with pytest.raises(InputError, match="partitio"):
        on_slurm.OnSlurm(tmp_path, NEEDS, {"partitio": "gpu"}, None, cluster="local")


class Queued:
    """A job in a queue."""

    job_id, state = "42", "PENDING"
    watcher = SimpleNamespace(register_job=lambda name: None)

    def __init__(self, folder="", job_id="42"):
        assert job_id == "42"

    def done(self, force_check=False):
        return self.state == "COMPLETED"


def test_a_run_in_the_queue_is_not_submitted_again(dummies, tmp_path, monkeypatch):
    (run,) = dummies("fine")
    scheduler = slurm(tmp_path / "sweep")
    monkeypatch.setattr(scheduler._submitit._executor, "job_class", Queued)
    submitted = []
    monkeypatch.setattr(scheduler._submitit, "submit", lambda *given: submitted.append(given) or Queued())
    first = scheduler.submit(run)
    assert scheduler.submit(run).job.job_id == "42"
    assert len(submitted) == 1
    assert first.poll() is None
    monkeypatch.setattr(Queued, "state", "NODE_FAIL")
    assert first.poll() == LOST
    scheduler.submit(run)
    assert len(submitted) == 2
    monkeypatch.setattr(Queued, "state", "COMPLETED")
    monkeypatch.setattr(outcome, "state", lambda run: outcome.DONE)
    assert first.poll() == 0  # whose exit code has not come over the network yet
    monkeypatch.setattr(outcome, "state", lambda run: outcome.BROKEN)
    process.write_code(run.path / process.ENDED, SAVED)
    for state, code in (("RUNNING", None), ("CANCELLED by 0", 1), ("TIMEOUT", SAVED)):
        monkeypatch.setattr(Queued, "state", state)
        assert first.poll() == code


def test_an_interrupt_leaves_jobs_to_slurm(dummies, tmp_path, monkeypatch):
    runs = dummies("fine", "other")
    scheduler = slurm(tmp_path / "sweep", at_once=1)

    def submit(*_):
        os.kill(os.getpid(), signal.SIGINT)
        return Queued()

    monkeypatch.setattr(scheduler._submitit, "submit", submit)
    lines = []
    assert launch.execute(runs, scheduler, ended_well, lines.append) == ({}, signal.SIGINT)
    assert lines[-1].startswith("SIGINT: 1 runs stay in Slurm's queue")
    assert not (runs[1].path / on_slurm.JOB).exists()


# -- through Ray


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nonsense"])
def test_an_address_without_a_cluster_is_refused(address, monkeypatch):
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(InputError, match=f"no Ray cluster at '{address}'"):
        on_ray.OnRay(NEEDS, None)


@pytest.fixture
def cluster(monkeypatch):
    """Two nodes of one core on this machine."""
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    nodes.add_node(num_cpus=1)
    monkeypatch.setenv("RAY_ADDRESS", nodes.address)
    yield nodes
    ray.shutdown()
    nodes.shutdown()


@pytest.mark.slow
def test_tasks_of_ray_end_as_runs_do(dummies, cluster):
    runs = dummies("fine", "error", "lost", "hopeless")
    lines = []
    ended = launch.execute(runs, on_ray.OnRay(NEEDS, None), ended_well, lines.append)
    assert ended.failures.pop("hopeless, seed 0").startswith("killed by SIGKILL")
    assert ended == ({"error, seed 0": "the data are gone"}, 0)
    assert [tries(run) for run in runs] == [1, 1, 2, launch.TRIES]
    (row,) = (json.loads(line) for line in (runs[0].path / "metrics.jsonl").read_text().splitlines())
    assert row["threads"] is None  # Ray's own setting does not reach the run
    # An interrupt asks the run to save; the one behind it in the queue never starts.
    slow = dummies("slow", "slow too", "slow as well")
    scheduler = on_ray.OnRay(NEEDS, None)

    def say(line):
        lines.append(line)
        if "slow as well" in line and line.startswith("queued"):
            until(lambda: sum((run.path / "running").exists() for run in slow) == 2)
            os.kill(os.getpid(), signal.SIGINT)

    assert launch.execute(slow, scheduler, ended_well, say) == ({}, signal.SIGINT)
    assert sum((run.path / "heard").exists() for run in slow) == 2
    assert [line.split()[0] for line in lines[-3:]] == ["stopped"] * 3


# -- the table is that of one machine


def table(folder: Path) -> tuple[str, list]:
    """results.md, and results.csv without the seconds and with the folders' names."""
    with open(folder / "results.csv") as file:
        rows = [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(file)]
    return (folder / "results.md").read_text(), sorted(map(str, rows))


@pytest.mark.slow
def test_the_table_is_that_of_one_machine(tmp_path, cluster):
    """By Slurm's stand-in with a worker that is killed, and by Ray with a killed head that begins again."""
    pytest.importorskip("submitit")
    (tmp_path / "sweep.py").write_text(FILE)
    experiment = load(str(tmp_path / "sweep.py"))

    def sweep(folder, executor):
        runs = plan(experiment, folder)
        folder.mkdir(exist_ok=True)
        return command.sweep(experiment, folder, runs, runs, executor)

    cores = [[core] for core in sorted(os.sched_getaffinity(0))[:1]]
    assert sweep(tmp_path / "local", on_local.OnLocal(cores)) == 0
    expected = table(tmp_path / "local")

    victims = []

    class Killing(on_slurm.OnSlurm):
        def submit(self, run):
            job = super().submit(run)
            if not victims:
                until(lambda: checkpoints(run.path), 240)
                controller = job.job._process.pid
                victims.extend(map(int, Path(f"/proc/{controller}/task/{controller}/children").read_text().split()))
                os.kill(victims[0], signal.SIGKILL)
            return job

    killing = Killing(tmp_path / "slurm", NEEDS, {}, 1, cluster="local")
    assert sweep(tmp_path / "slurm", killing) == 0
    assert victims
    assert table(tmp_path / "slurm") == expected

    # Ray: the sweep's own process is killed while its runs train; the same command goes on.
    argv = [sys.executable, "-m", "experiments.run", str(tmp_path / "sweep.py"), "--on=ray"]
    argv += [f"--workdir={tmp_path / 'ray'}"]
    head = subprocess.Popen(argv, cwd=ROOT, start_new_session=True)
    until(lambda: any(map(checkpoints, (tmp_path / "ray").glob("*-seed-0-*"))), 240)
    head.kill()
    head.wait()
    assert not (tmp_path / "ray" / "results.md").exists()
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    assert table(tmp_path / "ray") == expected
    for name in ("slurm", "ray"):
        logs = [log.read_text() for log in (tmp_path / name).glob(f"*/{process.LOG}")]
        assert any("going on from step" in log for log in logs), logs


@pytest.fixture
def head(tmp_path, monkeypatch):
    """A cluster of one node with one core; called, its head is killed with all that runs there, and begins again."""
    pytest.importorskip("ray")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{port}")
    argv = [Path(sys.executable).with_name("ray"), "start", "--head", f"--port={port}", "--num-cpus=1", "--block"]
    argv += ["--include-dashboard=false", "--disable-usage-stats"]
    running = []

    def kill():
        os.killpg(running[-1].pid, signal.SIGKILL)
        running.pop().wait()

    def start():
        with open(tmp_path / "head.log", "a") as log:
            running.append(subprocess.Popen(argv, stdout=log, stderr=log, start_new_session=True))
        until(lambda: "process_exit.log" in (tmp_path / "head.log").read_text().split("START")[-1], 120)

    def restart():
        kill()
        with open(tmp_path / "head.log", "a") as log:
            log.write("START")
        start()

    start()
    yield restart
    kill()


@pytest.mark.slow
def test_a_sweep_outlives_the_head_of_its_ray_cluster(tmp_path, head, capsys):
    """The head begins again, without what it knew, under a live sweep, whose table is that of one machine."""
    (tmp_path / "sweep.py").write_text(FILE.replace('"steps": 60', '"steps": 600'))
    experiment = load(str(tmp_path / "sweep.py"))

    def sweep(folder, executor):
        runs = plan(experiment, folder)
        folder.mkdir(exist_ok=True)
        return command.sweep(experiment, folder, runs, runs, executor)

    cores = [[core] for core in sorted(os.sched_getaffinity(0))[:1]]
    assert sweep(tmp_path / "local", on_local.OnLocal(cores)) == 0
    restarted = threading.Thread(
        target=lambda: until(lambda: any(map(checkpoints, (tmp_path / "ray").glob("*-seed-0-*"))), 240) and head()
    )
    restarted.start()
    assert sweep(tmp_path / "ray", on_ray.OnRay(NEEDS, None)) == 0
    restarted.join()
    assert capsys.readouterr().err.count("submitted again") >= 2  # the run that had saved, and the one that waited
    assert table(tmp_path / "ray") == table(tmp_path / "local")
    logs = [log.read_text() for log in (tmp_path / "ray").glob(f"*/{process.LOG}")]
    assert any("going on from step" in log for log in logs), logs
