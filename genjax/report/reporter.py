"""The report of a run, written by a process of its own that imports what draws it while the run trains.

A run of seconds ends 0.3 s sooner by these imports. Whatever befalls the process, the report is written without it.
"""

import contextlib
import gc
import os
import subprocess
import sys
from pathlib import Path

from genjax.report import curves, html


class Reporter:
    """Writes the report of a run; entered by `with`, the first time by a process that has begun meanwhile."""

    def __init__(self, workdir: Path):
        self.workdir = workdir
        self._process: subprocess.Popen | None = None

    def __enter__(self):
        """Start the process, where it saves time: with another core, and imports that were not made yet."""
        if "matplotlib.figure" not in sys.modules and (os.cpu_count() or 1) > 1 and sys.executable:
            paths = os.pathsep.join(sys.path)
            with contextlib.suppress(OSError):  # no memory, or no more processes
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", __name__],
                    env=os.environ | {"PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1"},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,  # signals are the run's, whose end is the process's own
                )
        return self

    def __exit__(self, *_):
        """End the process."""
        if self._process:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            self._process.wait()

    def begin(self) -> None:
        """Let the process write the report now, if there is one; its files are complete. `write` waits for it."""
        if self._process and not self._process.stdin.closed:
            with contextlib.suppress(OSError), self._process.stdin as pipe:  # it may have ended
                pipe.write(os.fsencode(self.workdir))

    def write(self) -> None:
        """Write report.html, curves.png and samples.gif. Raises: as `html.write`."""
        self.begin()
        process, self._process = self._process, None
        if process is None or process.wait():
            html.write(self.workdir)


def main() -> None:
    """Write the report of the folder whose name comes, if one does; all imports are made, and fonts read, before."""
    gc.disable()
    curves.draw([{"step": 0, "loss": 0.0}], os.devnull)
    if workdir := sys.stdin.buffer.read():
        html.write(os.fsdecode(workdir))
    os._exit(0)  # nothing is left to do


if __name__ == "__main__":
    main()
