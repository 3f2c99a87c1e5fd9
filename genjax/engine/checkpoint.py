"""Checkpoints that are complete or absent: Orbax writes the arrays, and a manifest of digests verifies them.

A checkpoint becomes visible by an atomic rename of its folder. Orbax's `Checkpointer` and `StandardCheckpointHandler`
are its API v0; this file alone imports Orbax, when it saves or restores: exported weights need no Orbax.

A checkpoint is the folder `checkpoints/<step>`: `state/` by Orbax, and `manifest.json` with the SHA-256 of every file.
It is written under a temporary name and renamed when complete, so killing the process at any moment leaves the others
intact. Several processes write the arrays together; process 0 writes the other files. A damaged checkpoint is never
deleted: it is renamed to `<step>.damaged` when a run that goes on from an earlier one needs its name.
"""

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Collection, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import jax

from genjax.engine.distributed import collective, is_main_process, run_on_main
from genjax.engine.state import State
from genjax.errors import InputError

MANIFEST = "manifest.json"


class Damaged(InputError):
    """A checkpoint whose files are not those that were written."""


class SaveError(OSError):
    """A checkpoint could not be written; the earlier ones are unchanged."""


class Newest(NamedTuple):
    """The newest intact checkpoint of a run."""

    step: int | None  # None: there is none
    metadata: dict[str, Any]
    damaged: list[str]  # a line for each newer one, which is damaged


class Checkpoints:
    """The checkpoints of one run, oldest first."""

    def __init__(self, folder: os.PathLike, keep: int = 3):
        self.folder = Path(folder).absolute()
        self.keep = keep

    @cached_property
    def _orbax(self):
        import orbax.checkpoint as ocp

        return ocp.Checkpointer(ocp.StandardCheckpointHandler()), ocp.args

    def steps(self) -> list[int]:
        """The steps that have a checkpoint."""
        folders = self.folder.glob("*/") if self.folder.is_dir() else ()
        return sorted(int(path.name) for path in folders if path.name.isdigit())

    def path(self, step: int) -> Path:
        """The folder of a step's checkpoint."""
        return self.folder / f"{step:08d}"

    @collective
    def save(self, state: State, metadata: dict[str, Any], spare: Collection[int] = ()) -> None:
        """Write a checkpoint of `state` with a JSON of metadata, then delete all but the newest `keep` and `spare`.

        The JSON is that of process 0.
        Raises: SaveError if it cannot be written, say on a full disk; nothing half-written is left.
        """
        step = int(state.step)
        if run_on_main(lambda: step in self.steps()):
            return
        partial = self.path(step).with_suffix(".partial")

        def begin():
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            _reserve(partial / "reserve", sum(leaf.nbytes for leaf in jax.tree.leaves(state)))

        def finish():
            manifest = {"step": step, "metadata": metadata, "files": digests(partial)}
            with open(partial / MANIFEST, "w", encoding="utf-8") as file:
                json.dump(manifest, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, self.path(step))

        try:
            run_on_main(begin)
            orbax, args = self._orbax
            with _plain_name(partial) as folder:
                orbax.save(folder / "state", args=args.StandardSave(state))
            run_on_main(finish)
        except Exception as error:  # Orbax and TensorStore raise a full disk as several types
            if is_main_process():
                shutil.rmtree(partial, ignore_errors=True)
            rest = f"; the checkpoint of step {self.steps()[-1]:,} stays" if self.steps() else ""
            raise SaveError(f"could not save step {step:,} to {self.folder}{rest}: {_root(error)}") from error
        if is_main_process():
            for old in set(self.steps()[: -self.keep]).difference(spare):
                shutil.rmtree(self.path(old), ignore_errors=True)

    def metadata(self, step: int) -> dict[str, Any]:
        """The metadata of a checkpoint, after the digests of all files were checked.

        Raises: Damaged, naming the first file that is missing or differs.
        """
        path = self.path(step)
        try:
            manifest = json.loads((path / MANIFEST).read_text("utf-8"))
            expected = manifest["files"]
            metadata = manifest["metadata"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Damaged(f"the checkpoint {path} is damaged: no readable {MANIFEST}") from error
        try:
            actual = digests(path)
        except OSError as error:
            raise Damaged(f"the checkpoint {error.filename or path} cannot be read: {error.strerror}") from error
        for name, digest in expected.items():
            if name not in actual:
                raise Damaged(f"the checkpoint {path} is damaged: {name} is missing")
            if actual[name] != digest:
                raise Damaged(f"the checkpoint {path} is damaged: {name} is not what was written")
        return metadata

    def restore(self, step: int, like: State) -> State:
        """The state of a step. `like` has its shapes, types and shardings (see `jax.eval_shape`).

        Raises: Damaged if a file is not what was written; InputError if the state has other shapes than `like`.
        """
        self.metadata(step)
        return self.read(step, like)

    def read(self, step: int, like: State) -> State:
        """The state of a step whose files are known to be intact. Raises: InputError, as `restore`."""
        orbax, args = self._orbax
        try:
            with _plain_name(self.path(step)) as folder:
                return orbax.restore(folder / "state", args=args.StandardRestore(like))
        except ValueError as error:
            raise InputError(f"the checkpoint {self.path(step)} is of other nets: {_root(error)}") from error

    @collective
    def newest(self) -> Newest:
        """The newest checkpoint whose files all have their digests, and the damaged ones that were skipped."""

        def find():
            damaged = []
            for step in reversed(self.steps()):
                try:
                    return step, self.metadata(step), damaged
                except Damaged as error:
                    damaged.append(str(error))
            return None, {}, damaged

        return Newest(*run_on_main(find))

    def discard_after(self, step: int) -> None:
        """Make room after `step`, from which a run goes on: remove half-written checkpoints, rename damaged ones."""
        for damaged in (self.path(s) for s in self.steps() if s > step):
            aside = damaged.with_suffix(".damaged")
            shutil.rmtree(aside, ignore_errors=True)
            os.replace(damaged, aside)
        for partial in self.folder.glob("*.partial*"):
            shutil.rmtree(partial, ignore_errors=True)


@contextlib.contextmanager
def _plain_name(folder: Path) -> Iterator[Path]:
    """A name of a folder that Orbax can use: in others it finds nothing, as [6] is a pattern to it, or they raise."""
    if not re.search(r"[][*?\udc80-\udcff]", str(folder)):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="genjax-") as place:
        link = Path(place) / "checkpoint"
        link.symlink_to(folder, target_is_directory=True)
        yield link


def _reserve(path: Path, size: int) -> None:
    """Fail early, with one plain error, if the disk has no room for a checkpoint: allocate it, then free it."""
    size += 2**20
    with open(path, "wb") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, size)
        except (AttributeError, OSError) as error:  # not on Windows, nor on some file systems
            if getattr(error, "errno", errno.ENOSYS) not in (errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL):
                raise
            if shutil.disk_usage(path.parent).free < size:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
    path.unlink()


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file below a folder except the manifest, by relative name."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    out = {}
    for path in files:
        with open(path, "rb") as file:
            out[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return out


def _root(error: BaseException) -> str:
    """The first line of the error at the root of a chain of causes."""
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(error) or type(error).__name__).splitlines()[0][:200]
