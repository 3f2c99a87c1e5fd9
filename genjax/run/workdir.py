"""The folder of one run: its lock, config.json, metrics.jsonl and previews. POSIX only, because of the lock."""

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genjax.engine.distributed import collective, run_on_all, run_on_main
from genjax.errors import InputError
from genjax.files import append_line, write_bytes
from genjax.run.records import read_evaluations, read_metrics


class Workdir:
    """A run's files. One run holds the folder at a time; the system releases it when the main process dies."""

    def __init__(self, path: os.PathLike):
        self.path = Path(path)
        self.config_file = self.path / "config.json"
        self.metrics_file = self.path / "metrics.jsonl"
        self._lock = None

    @collective
    def __enter__(self) -> "Workdir":
        """Create the folder if necessary and lock it.

        Raises: InputError if it cannot be written, is in use, or is not the same folder in all processes.
        """
        holder = run_on_main(self._acquire)
        run_on_all(lambda: self._check_shared(holder))
        return self

    def _acquire(self) -> str:
        """Lock the folder; a description of this process."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = open(self.path / ".lock", "a+")  # noqa: SIM115, `__exit__` closes it
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.seek(0)
            holder = self._lock.read().strip() or "another process"
            self._lock.close()
            raise InputError(f"{self.path} is in use by {holder}: wait for it, or choose another --workdir") from error
        except OSError as error:
            raise InputError(f"--workdir={self.path} cannot be written: {error.strerror}") from error
        holder = f"process {os.getpid()}"
        self._lock.truncate(0)
        self._lock.write(holder)
        self._lock.flush()
        return holder

    def _check_shared(self, holder: str) -> None:
        """Refuse a folder that is not the one which the main process has locked. Raises: InputError."""
        lock = self.path / ".lock"
        if not lock.exists() or lock.read_text() != holder:
            raise InputError(f"--workdir={self.path} is not process 0's: it must be on a disk that all processes share")

    def __exit__(self, *_: object) -> None:
        """Release the folder."""
        if self._lock:
            self._lock.close()

    def read_info(self) -> dict[str, Any] | None:
        """The contents of config.json, None if there is none. Raises: InputError if it is unreadable."""
        if not self.config_file.exists():
            return None
        try:
            return json.loads(self.config_file.read_text())
        except (OSError, ValueError) as error:
            raise InputError(f"{self.config_file} is unreadable: {error}") from error

    def begin(self, info: Mapping[str, Any]) -> None:
        """Write config.json."""
        write_bytes(self.config_file, (json.dumps(info, indent=2) + "\n").encode())

    def log(self, row: Mapping[str, Any]) -> None:
        """Append a row to metrics.jsonl."""
        append_line(self.metrics_file, json.dumps(row, ensure_ascii=False))

    def forget_after(self, step: int) -> None:
        """Drop everything that a run which resumes from `step` will write again."""
        rows = [*read_metrics(self.metrics_file), *read_evaluations(self.metrics_file)]
        rows = sorted((row for row in rows if row["step"] <= step), key=lambda row: row["step"])
        write_bytes(self.metrics_file, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode())
        folders = self.path / "samples", self.path / "reconstructions"
        for path in (path for folder in folders for path in folder.glob("step_*.png")):
            if int(path.stem.removeprefix("step_")) > step:
                path.unlink()
        for folder in (self.path, *folders):  # files of a process that was killed while it wrote them
            for path in folder.glob(".*.tmp"):
                path.unlink()
