"""A copy of a run in object storage, for machines whose disks do not outlive them.

A run trains in a folder of its machine, whose files are locked, appended to and renamed, which objects cannot be. After
every save its files are copied; a machine that begins with an empty folder fetches them and goes on from there. A
checkpoint is complete where its manifest is: that is written last and deleted first, and has the digests of the others.
"""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from genjax.engine.checkpoint import MANIFEST, Checkpoints, Damaged
from genjax.errors import InputError
from genjax.run.workdir import FILES, Workdir

CHECKPOINTS = "checkpoints"
COPIED = tuple(name for name in FILES if name not in (CHECKPOINTS, "images", "tensorboard", "wandb"))
"""The files and folders that are copied besides checkpoints, config.json last."""

FETCH = ".fetched"
"""The folder, in the run's, of files that are being fetched."""

RETRIES = 4
"""Attempts of a request, after 1, 2 and 4 seconds: enough for a fault of the network, and few enough to end in time."""


class Backup:
    """A run's copy at gs://bucket/path. Methods are called in the main process alone."""

    def __init__(self, url: str):
        """Raises: InputError for a text that is no place in object storage."""
        import tensorstore

        self.url = url
        match = re.fullmatch(r"gs://([^/]+)/+(.*?)/*", url)
        if not match or not match[2]:
            raise InputError(f"--backup={url}: expected gs://BUCKET/FOLDER, a folder for this run alone")
        spec = {"driver": "gcs", "bucket": match[1], "path": f"{match[2]}/"}
        retries = {"gcs_request_retries": {"max_retries": RETRIES}}
        try:
            self._store = tensorstore.KvStore.open(spec | {"context": retries}).result()
        except ValueError as error:
            raise InputError(f"--backup={url}: {_line(error)}") from error
        self._copied: dict[str, tuple[int, int]] = {}  # name -> time of change and size of the file that was copied

    def steps(self) -> list[int]:
        """The steps that have a complete checkpoint. Raises: InputError if the place cannot be read."""
        return self._steps(self._names(f"{CHECKPOINTS}/"))

    def _steps(self, names: list[str]) -> list[int]:
        matches = (re.fullmatch(rf"{CHECKPOINTS}/(\d+)/{MANIFEST}", name) for name in names)
        return sorted(int(match[1]) for match in matches if match)

    def _names(self, prefix: str) -> list[str]:
        """The names of objects that begin with "folder/", or all. Raises: InputError if the place cannot be read."""
        import tensorstore

        try:
            stop = prefix[:-1] + "0" if prefix else ""  # "0" comes after "/"
            names = self._store.list(tensorstore.KvStore.KeyRange(prefix, stop)).result()
        except ValueError as error:
            raise InputError(f"--backup={self.url} cannot be read: {_line(error)}") from error
        return [text for text in (name.decode() for name in names) if text.startswith(prefix)]

    # -- to object storage

    def copy(self, folder: Path) -> str:
        """Copy what is new in a run's folder, newest checkpoints included. Returns: a warning, "" if all is copied."""
        try:
            self._copy(Path(folder))
        except (ValueError, OSError, InputError) as error:
            return f"warning: {self.url} lacks what is new in {folder}, which is tried again at the next save: " + (
                _line(error)
            )
        return ""

    def _copy(self, folder: Path) -> None:
        local = Checkpoints(folder / CHECKPOINTS)
        there = self._names(f"{CHECKPOINTS}/")
        for step in set(local.steps()).difference(self._steps(there)):
            files = [path for path in local.path(step).rglob("*") if path.is_file()]
            for path in sorted(files, key=lambda path: path.name == MANIFEST):
                self._write(folder, path)
        for path in (path for name in COPIED for path in _files(folder / name)):
            self._write(folder, path)
        old = [name for name in there if not (folder / name).is_file()]
        for name in sorted(old, key=lambda name: not name.endswith(f"/{MANIFEST}")):
            self._store.write(name, None).result()  # no such object after

    def _write(self, folder: Path, path: Path) -> None:
        """Write a file, unless it is the one that was written last."""
        name = path.relative_to(folder).as_posix()
        status = path.stat()
        version = status.st_mtime_ns, status.st_size
        if self._copied.get(name) != version:
            self._store.write(name, path.read_bytes()).result()
            self._copied[name] = version

    # -- back

    def fetch(self, workdir: Workdir, check: Callable[[Workdir], Any]) -> list[str]:
        """Bring the run to a folder that has no checkpoint; a line that says so, none if there is nothing to bring.

        `check` is called with the fetched files before they take their places, and refuses those of another run.
        Raises: InputError if the folder has an older checkpoint, or none of the copies is intact.
        """
        here = max(Checkpoints(workdir.path / CHECKPOINTS).steps(), default=None)
        there = self.steps()
        if not there or (here is not None and here >= there[-1]):
            return []
        if here is not None:
            raise InputError(
                f"--backup={self.url} has step {there[-1]:,}, and {workdir.path} is at step {here:,}: move that away "
                "to go on from the backup, or choose another --backup"
            )
        place = workdir.path / FETCH
        shutil.rmtree(place, ignore_errors=True)
        try:
            step = self._read_newest(place, there)
            for name in self._names(""):
                if name.split("/")[0] in COPIED:
                    self._read(name, place)
            check(Workdir(place))
            for name in (*COPIED, CHECKPOINTS):  # the checkpoint last: without it, all of this is done again
                if (place / name).exists():
                    _replace(place / name, workdir.path / name)
        except OSError as error:
            raise InputError(f"--workdir={workdir.path} cannot be written: {error.strerror or error}") from error
        finally:
            shutil.rmtree(place, ignore_errors=True)
        return [f"step {step:,} and its records are fetched from {self.url}"]

    def _read_newest(self, place: Path, steps: list[int]) -> int:
        """Read the newest intact checkpoint; its step. Raises: InputError if there is none."""
        local = Checkpoints(place / CHECKPOINTS)
        reasons = []
        for step in reversed(steps):
            for name in self._names(f"{CHECKPOINTS}/{step:08d}/"):
                self._read(name, place)
            try:
                local.metadata(step)
                return step
            except Damaged as error:
                reasons.append(str(error))
                shutil.rmtree(local.path(step))
        raise InputError("\n  ".join([f"--backup={self.url} has no intact checkpoint:", *reasons]))

    def _read(self, name: str, place: Path) -> None:
        """Read an object to a file. Raises: InputError if it cannot be read, or would be outside of `place`."""
        if ".." in name.split("/"):
            raise InputError(f"--backup={self.url}/{name}: expected the files of a run, none in a folder above it")
        try:
            data = self._store.read(name).result().value
        except ValueError as error:
            raise InputError(f"--backup={self.url}/{name} cannot be read: {_line(error)}") from error
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)


def _files(path: Path) -> list[Path]:
    return sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path] if path.exists() else []


def _replace(source: Path, target: Path) -> None:
    """Put a file or a folder in the place of what is there."""
    if target.is_dir():
        shutil.rmtree(target)
    os.replace(source, target)


def _line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]
