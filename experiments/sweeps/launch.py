"""Runs as child processes, several at a time, each on its share of the cores; a stopped one saves first."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from experiments.sweeps.plan import Run
from experiments.sweeps.worker import FILE
from genjax.errors import InputError
from genjax.files import write_bytes
from genjax.run.training import Stop
from genjax.text import duration

POLL = 0.1  # seconds between two polls of the children


class Ended(NamedTuple):
    """The end of a sweep."""

    failures: dict[str, str]  # reasons by the run's title
    signal: int  # the signal that stopped it, or 0


def shares(jobs: int) -> list[list[int]]:
    """The cores of each of `jobs` jobs; empty if the system does not pin processes.

    All jobs have equally many cores and the rest idles, because another number of threads adds in another order, and
    a result must not depend on which share of cores a run got.
    Raises: InputError for more jobs than cores.
    """
    pins = hasattr(os, "sched_getaffinity")
    cores = sorted(os.sched_getaffinity(0)) if pins else list(range(os.cpu_count() or 1))
    if not 1 <= jobs <= len(cores):
        raise InputError(f"--jobs={jobs}: expected 1 to {len(cores)}, at least one core per job")
    each = len(cores) // jobs
    return [cores[i * each : (i + 1) * each] if pins else [] for i in range(jobs)]


class Child:
    """The process of a run. Its output is appended to the run's log.txt."""

    def __init__(self, run: Run, cores: Sequence[int], jobs: int):
        info = {"variant": run.variant, "seed": run.seed, "cores": len(cores), "config": run.config.to_dict()}
        write_bytes(run.path / FILE, (json.dumps(info, indent=2) + "\n").encode())
        command = [sys.executable, "-m", "experiments.sweeps.worker", f"--run={run.path.absolute()}"]
        command += [f"--cores={','.join(map(str, cores))}"] if cores else []
        share = {"XLA_PYTHON_CLIENT_MEM_FRACTION": f"{0.9 / jobs:.3f}"} if jobs > 1 else {}  # of a GPU's memory
        self.log = run.path / "log.txt"
        with open(self.log, "ab") as log:
            self._begin = log.tell()
            # In a process group of its own: Ctrl-C reaches the sweep alone, which then asks its children to save.
            self.process = subprocess.Popen(
                command, env=share | os.environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log, process_group=0
            )

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        return self.process.poll()

    def stop(self, number: int) -> None:
        """Ask it to save and end; asked twice, it ends at once."""
        self.process.send_signal(number)

    def reason(self, code: int) -> str:
        """The reason of a failure in one line: its error message, or else its last line of output."""
        if code < 0:
            return f"killed by {signal.Signals(-code).name}; see {self.log}"
        with open(self.log, "rb") as log:
            log.seek(self._begin)
            lines = [line.strip() for line in log.read().decode(errors="replace").splitlines() if line.strip()]
        errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
        return (errors or lines or [f"exit code {code} without a word"])[-1]


def execute(
    todo: Sequence[Run],
    cores: Sequence[Sequence[int]],
    finished: Callable[[Run], str | None],
    say: Callable[[str], None],
    start: Callable[[Run, Sequence[int], int], Any] = Child,
) -> Ended:
    """Run all of `todo` in order, as many at a time as there are shares of cores.

    `finished` is called for each run that ended well, and may return a reason why it failed nevertheless. A failure
    stops no other run. SIGINT or SIGTERM asks all runs to save and end; a second one ends them at once.
    """
    waiting = deque(enumerate(todo, 1))
    running = {}
    free = deque(cores)
    failures = {}
    begin = time.monotonic()
    ended = 0
    asked = False

    def place(number):
        return f"{number:>{len(str(len(todo)))}}/{len(todo)}"

    with Stop() as stop:
        try:
            while running or (waiting and not stop.signal):
                while waiting and free and not stop.signal:
                    number, run = waiting.popleft()
                    share = free.popleft()
                    running[number] = run, start(run, share, len(cores)), share, time.monotonic()
                    say(f"started {place(number)}  {run.title}")
                if stop.signal and not asked:
                    asked = True
                    say(f"{signal.Signals(stop.signal).name}: waiting for {len(running)} to save")
                    for _, child, *_ in running.values():
                        child.stop(signal.SIGTERM)
                for number, (run, child, share, since) in sorted(running.items()):
                    if (code := child.poll()) is None:
                        continue
                    del running[number]
                    free.append(share)
                    if code and stop.signal and code in (128 + signal.SIGTERM, -signal.SIGTERM):
                        say(f"stopped {place(number)}  {run.title}")
                        continue
                    ended += 1
                    reason = child.reason(code) if code else finished(run)
                    took = time.monotonic() - since
                    if reason:
                        failures[run.title] = reason
                    say(_line("failed " if reason else "done   ", place(number), run, reason, took, begin, ended, todo))
                time.sleep(POLL if running else 0)
        finally:  # a second signal, or a fault of this process
            for _, child, *_ in running.values():
                child.stop(signal.SIGTERM)
            for _, child, *_ in running.values():
                while child.poll() is None:
                    time.sleep(POLL)
        return Ended(failures, stop.signal)


def _line(word, place, run, reason, took, begin, ended, todo) -> str:
    elapsed = time.monotonic() - begin
    left = len(todo) - ended
    text = f"{word} {place}  {run.title}, in {duration(took)}"
    if reason:
        text += f": {reason}"
    times = f"{duration(elapsed)} so far"
    if left:
        times += f", about {duration(elapsed / ended * left)} left"
    return f"{text}  ({times})"
