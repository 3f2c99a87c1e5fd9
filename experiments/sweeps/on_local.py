"""Runs as child processes of this one, each on its share of the cores; a stopped one saves first."""

import os
import subprocess
from collections import deque
from collections.abc import Sequence

from experiments.sweeps import process
from experiments.sweeps.plan import Run
from genjax.errors import InputError


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
        process.describe(run, len(cores))
        command = [*process.command(run), *([f"--cores={','.join(map(str, cores))}"] if cores else [])]
        share = {"XLA_PYTHON_CLIENT_MEM_FRACTION": f"{0.9 / jobs:.3f}"} if jobs > 1 else {}  # of a GPU's memory
        self._log = process.Log(run)
        with open(self._log.path, "ab") as log:
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
        return self._log.reason(code)


class OnLocal:
    """As many children at a time as there are shares of the cores; a share is handed on when its child has ended."""

    resubmits = False
    leaves = ""

    def __init__(self, cores: Sequence[Sequence[int]], start=Child):
        self.at_once = len(cores)
        self._free = deque(cores)
        self._start = start
        self._held: list[tuple] = []

    def submit(self, run: Run):
        """Start a child on the first free share; there is one, as no more than `at_once` run."""
        for child, share in list(self._held):
            if child.poll() is not None:
                self._held.remove((child, share))
                self._free.append(share)
        share = self._free.popleft()
        child = self._start(run, share, self.at_once)
        self._held.append((child, share))
        return child
