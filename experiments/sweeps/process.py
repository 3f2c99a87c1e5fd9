"""The process of a run: its command, its log, and the call that keeps it alive as long as its cluster's job lives."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # a cluster's job imports this module before it starts the run: nothing slow
    from experiments.sweeps.plan import Run

POLL = 0.1  # seconds between two looks at the process
LOG = "log.txt"
FILE = "sweep.json"
ENDED = "exit_code.txt"
PASSED = ("JAX_", "XLA_", "TF_", "PYTHONPATH", "XDG_CACHE_HOME")
"""Variables of the sweep's environment that a run on another machine gets, by how they begin."""


class Call(NamedTuple):
    """The arguments of `keep`: plain values, so that any scheduler can carry them."""

    command: list[str]
    cwd: str
    log: str
    environment: dict[str, str]
    ended: str  # the file for the exit code


def describe(run: "Run", cores: int) -> None:
    """Write the run's sweep.json, from which its process learns what to train, and those of its other members."""
    from genjax.files import write_bytes

    for member in run.members:
        info = {"variant": member.variant, "seed": member.seed, "cores": cores, "config": member.config.to_dict()}
        if run.others:
            info["together"] = {other.seed: other.path.name for other in run.members}
        write_bytes(member.path / FILE, (json.dumps(info, indent=2) + "\n").encode())


def command(run: "Run") -> list[str]:
    """The command of a run's process, without its share of a machine."""
    return [sys.executable, "-m", "experiments.sweeps.worker", f"--run={run.path.absolute()}"]


def call(run: "Run", cores: int) -> Call:
    """The call that a cluster's job makes, on any machine with this folder, this interpreter and the run's folder."""
    passed = {name: value for name, value in os.environ.items() if name.startswith(PASSED)}
    folder = run.path.absolute()
    argv = [*command(run), f"--claim={cores}"]
    return Call(argv, os.getcwd(), str(folder / LOG), passed, str(folder / ENDED))


def keep(call: Call) -> int:
    """Start the process of a run and wait for it; its exit code, which is written to `call.ended`, too.

    SIGUSR2, a cluster's word before the time is over, and an interrupt ask the run to save and end. Its standard
    input ends with this process, at which it ends as well (see `machine`).
    """
    environment = _without_threads(os.environ) | dict(call.environment)
    old = signal.signal(signal.SIGUSR2, signal.SIG_IGN)  # Slurm sends it to the run as well, which inherits that
    with open(call.log, "ab") as log:
        process = subprocess.Popen(
            call.command, cwd=call.cwd, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log
        )
    signal.signal(signal.SIGUSR2, lambda *_: process.send_signal(signal.SIGTERM))
    try:
        code = _wait(process)
    except KeyboardInterrupt:
        process.send_signal(signal.SIGTERM)
        code = _wait(process)
    finally:
        process.stdin.close()
        signal.signal(signal.SIGUSR2, old)
    write_code(Path(call.ended), code)
    return code


def write_code(path: Path, code: int) -> None:
    """Write an exit code, completely or not at all."""
    aside = path.with_name(f".{path.name}.tmp")
    aside.write_text(f"{code}\n", encoding="utf-8")
    aside.replace(path)


def read_code(path: Path) -> int | None:
    """The exit code that `write_code` has written, None if there is none."""
    try:
        return int(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


class Log:
    """The output of a run's process, from here on."""

    def __init__(self, run: "Run"):
        self.path = run.path / LOG
        self._begin = self.path.stat().st_size if self.path.exists() else 0

    def reason(self, code: int) -> str:
        """The reason of a failure in one line: the error message, or else the last line."""
        if code < 0:
            return f"killed by {signal.Signals(-code).name}; see {self.path}"
        lines = []
        if self.path.exists():
            with open(self.path, "rb") as file:
                file.seek(self._begin)
                lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
        errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
        return (errors or lines or [f"exit code {code} without a word"])[-1]


def _without_threads(environment: Mapping[str, str]) -> dict[str, str]:
    """Without the number of threads that Ray sets for other libraries, and a run on one machine has not."""
    return {name: value for name, value in environment.items() if name != "OMP_NUM_THREADS"}


def _wait(process: subprocess.Popen) -> int:
    while (code := process.poll()) is None:  # no blocking wait: a scheduler's interrupt must be heard
        time.sleep(POLL)
    return code
