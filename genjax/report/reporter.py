"""The report of a run, written by a process of its own, whose imports are made while the run trains.

They take 0.3 s, by which a short run ends sooner. If the process fails, the run writes the report itself.
"""

import contextlib
import gc
import os
import subprocess
import sys
from pathlib import Path

from genjax.report import curves, html


class Reporter:
    """Writer of a run's report. Within `with`, the first report is written by a process that has its imports ready."""

    def __init__(self, workdir: Path):
        self.workdir = workdir
        self._process: subprocess.Popen | None = None

    def __enter__(self):
        """Start the process where it saves time: another core is there, and Matplotlib is not imported yet."""
        if "matplotlib.figure" not in sys.modules and (os.cpu_count() or 1) > 1 and sys.executable:
            paths = os.pathsep.join(sys.path)
            with contextlib.suppress(OSError):  # no memory, or no more processes
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", __name__, self.workdir],
                    env=os.environ | {"PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1"},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,  # signals are the run's, whose end is the process's own
                )
        return self

    def __exit__(self, *_):
        """End the process: at once, or after the report that it has begun."""
        if self._process:
            with self._process:  # waits for its end
                if not self._process.stdin.closed:
                    self._process.kill()

    def begin(self) -> None:
        """Let the process, if there is one, write the report now, since the files it is made of are complete.

        It is not waited for; `write` does that.
        """
        if self._process and not self._process.stdin.closed:
            with contextlib.suppress(OSError), self._process.stdin as pipe:  # it may have ended
                pipe.write(b"\n")

    def write(self) -> None:
        """Write report.html, curves.png and samples.gif. Raises: as `html.write`."""
        self.begin()
        process, self._process = self._process, None
        if process is None or process.wait():
            html.write(self.workdir)


def main() -> None:
    """Make the imports, by drawing curves of nothing, and write a folder's report when a line comes."""
    gc.disable()
    curves.draw([{"step": 0, "loss": 0.0}], os.devnull)
    if sys.stdin.buffer.readline():
        html.write(sys.argv[1])
    os._exit(0)  # sooner than by Python's own end


if __name__ == "__main__":
    main()
