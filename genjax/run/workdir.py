"""The folder of one run: its lock, config.json, metrics.jsonl and previews."""

import contextlib
import errno
import json
import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

from genjax.engine.distributed import collective, run_on_all, run_on_main
from genjax.errors import InputError
from genjax.files import append_line, check_is_path, encode, write_bytes
from genjax.run.records import read_evaluations, read_metrics

LOCKLESS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)
"""Errors of file systems that have no locks."""

PREVIEWS = ("samples", "reconstructions")
"""The folders of images that training writes."""

TRACKERS = "trackers.json"
"""The file of the run's id in each tracker, and of what was logged there."""

FILES = (
    *("metrics.jsonl", *PREVIEWS, "checkpoints", "samples.gif", "curves.png", "report.html", "neighbors.png"),
    *("images", "tensorboard", "wandb", TRACKERS, "config.json"),
)
"""All that a run writes to its folder; the config last, so that what is left of a run is known as such."""

ASIDE = "set_aside"
"""The folder of what a forced run has moved out of its way."""


class Records(NamedTuple):
    """Rows of training, results of evaluations, and images; as text, in words."""

    rows: list[dict[str, Any]]
    results: list[dict[str, Any]]
    images: list[Path]

    def __str__(self) -> str:
        parts = [f"rows up to step {self.rows[-1]['step']:,}"] if self.rows else []
        for items, name in ((self.results, "result"), (self.images, "image")):
            if items:
                parts.append(f"{len(items)} {name}{'s' if len(items) > 1 else ''}")
        return ", ".join(parts)


TYPES: dict[str, type | UnionType] = {
    "": dict,
    "config": dict,
    "config.task": str,
    "data": object,
    "data.shape": list,
    "data.name": str,
    "data.split": str,
    "data.labels": list,
    "data.fingerprint": str,
    "files": dict,
    "extensions": dict,
    "versions": dict,
    "git": dict | None,
    "folder": str | None,
    "init": dict,
    "weights": dict,
    "saved": int | None,
}
"""The parts of a config.json that commands read, by dotted key; older runs lack some."""


class Workdir:
    """A run's files. One run holds the folder at a time; the system releases it when the main process dies."""

    def __init__(self, path: os.PathLike):
        """Raises: InputError for an address such as gs://bucket/folder."""
        check_is_path(path)
        self.path = Path(path)
        self.config_file = self.path / "config.json"
        self.metrics_file = self.path / "metrics.jsonl"
        self._holder_file = self.path / ".holder"
        self._lock_file = self.path / ".lock"
        self._lock = None
        self._created = []

    @collective
    def __enter__(self) -> "Workdir":
        """Create the folder if necessary and lock it; a file system without locks is reported.

        Raises: InputError if it cannot be written, is in use, or is not the same folder in all processes.
        """
        holder = run_on_main(self._acquire)
        run_on_all(lambda: self._check_shared(holder))
        return self

    def _acquire(self) -> str:
        """Lock the folder; a description of this process."""
        holder = f"process {os.getpid()} on {platform.node()}"
        try:
            self._created = [folder for folder in (self.path, *self.path.parents) if not folder.exists()]
            self.path.mkdir(parents=True, exist_ok=True)
            self._acquire_lock()
            write_bytes(self._holder_file, holder.encode())
        except OSError as error:
            raise InputError(f"--workdir={self.path} cannot be written: {error.strerror or error}") from error
        return holder

    def _acquire_lock(self) -> None:
        self._lock = FileLock(self._lock_file, blocking=False, fallback_to_soft=False)
        try:
            self._lock.acquire()
        except Timeout as error:
            other = self._holder() or "another process"
            raise InputError(f"{self.path} is in use by {other}: wait for it, or choose another --workdir") from error
        except OSError as error:
            if error.errno not in LOCKLESS:
                raise
            last = f" (the last one was {self._holder()})" if self._holder() else ""
            print(
                f"warning: {self.path} cannot be locked ({error.strerror}): no other process may train in it{last}",
                file=sys.stderr,
            )

    def _holder(self) -> str:
        """The process that holds the folder, or held it last; "" if none is recorded."""
        return self._holder_file.read_text("utf-8") if self._holder_file.exists() else ""

    def _check_shared(self, holder: str) -> None:
        """Refuse a folder that is not the one which the main process has locked. Raises: InputError."""
        if self._holder() != holder:
            raise InputError(f"--workdir={self.path} is not process 0's: it must be on a disk that all processes share")

    def __exit__(self, *_: object) -> None:
        """Release the folder; if it was created here and holds nothing, as after a refusal, it and its parents go."""
        if self._lock:
            own = {self._holder_file, self._lock_file}
            with contextlib.suppress(OSError):  # removed before it is released: nobody else holds it
                if self._created and own.issuperset(self.path.iterdir()):
                    for file in own:
                        file.unlink(missing_ok=True)
                    for folder in self._created:
                        folder.rmdir()
            self._lock.release()

    def read_info(self) -> dict[str, Any] | None:
        """The contents of config.json, None if there is none. Raises: InputError if it is unreadable."""
        if not self.config_file.exists():
            return None
        try:
            info = json.loads(self.config_file.read_text("utf-8"))
            _check_types(info)
        except (OSError, ValueError) as error:
            raise InputError(
                f"{self.config_file} is unreadable ({error}): put a copy back, or move it away and give --config, with "
                "--resume=force if there are checkpoints"
            ) from error
        return info

    def begin(self, info: Mapping[str, Any], saved: int | None, best: Mapping[str, Any] | None = None) -> None:
        """Write config.json: `info`, the step of the newest checkpoint and a description of the best one, if any."""
        self._info = dict(info)
        self.record_saved(saved, best)

    def record_saved(self, step: int | None, best: Mapping[str, Any] | None = None) -> None:
        """Write what was saved to config.json, as `begin`: a run that was saved is never begun again."""
        text = json.dumps(self._info | {"saved": step} | ({"best": best} if best else {}), indent=2)
        write_bytes(self.config_file, (text + "\n").encode())

    def log(self, row: Mapping[str, Any]) -> None:
        """Append a row to metrics.jsonl."""
        append_line(self.metrics_file, json.dumps(row, ensure_ascii=False))

    def records_after(self, step: int) -> Records:
        """The records of later steps."""
        rows, results = (
            [row for row in read(self.metrics_file) if row["step"] > step] for read in (read_metrics, read_evaluations)
        )
        return Records(rows, results, [path for path in self._previews() if _step_of(path) > step])

    def forget_after(self, step: int) -> None:
        """Drop everything that a run which resumes from `step` will write again."""
        rows = [*read_metrics(self.metrics_file), *read_evaluations(self.metrics_file)]
        rows = sorted((row for row in rows if row["step"] <= step), key=lambda row: row["step"])
        write_bytes(self.metrics_file, encode("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)))
        for path in self.records_after(step).images:
            path.unlink()
        for folder in (".", *PREVIEWS):  # files of a process that was killed while it wrote them
            for path in (self.path / folder).glob(".*.tmp"):
                path.unlink()

    def set_aside(self) -> Path:
        """Move all files of a run to a new folder in this one; the new folder."""
        number = 1 + max((int(path.name) for path in (self.path / ASIDE).glob("[0-9]*")), default=0)
        folder = self.path / ASIDE / str(number)
        folder.mkdir(parents=True)
        for name in FILES:
            if (self.path / name).exists():
                os.replace(self.path / name, folder / name)
        return folder

    def _previews(self) -> list[Path]:
        return [path for folder in PREVIEWS for path in (self.path / folder).glob("step_*.png") if _step_of(path) >= 0]


def _step_of(path: Path) -> int:
    """The step of a preview; -1 for an image of another name."""
    number = path.stem.removeprefix("step_")
    return int(number) if number.isdecimal() else -1


def _check_types(info: Any) -> None:
    """Raises: ValueError naming what a config.json lacks, or has as another type."""
    values = {"": info}
    for key, kind in TYPES.items():
        parent, _, name = key.rpartition(".")
        if key and isinstance(values.get(parent), dict) and name in values[parent]:
            values[key] = values[parent][name]
        if key in values and not isinstance(values[key], kind):
            raise ValueError(f"{key or 'its content'} is {values[key]!r:.40}")
    if "config.task" not in values:
        raise ValueError("no config with a task")
    if not all(isinstance(n, int) and n > 0 for n in values.get("data.shape", ())):
        raise ValueError(f"data.shape is {values['data.shape']!r:.40}")
