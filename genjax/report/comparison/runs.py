"""The runs of a comparison: which folders hold them, and what each has recorded. A broken run is named, not fatal."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genjax.config import flat
from genjax.errors import InputError
from genjax.report.folder import images, part, read_info
from genjax.run.records import read_evaluations, read_metrics
from genjax.text import natural

FILES = ("config.json", "metrics.jsonl")
"""A folder with one of these is a run's, and is not searched for others."""

Complete = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""A run's config -> the same with the keys that its task got since then, at their defaults. Raises: InputError."""


@dataclass(frozen=True)
class Recorded:
    """The records of a run; `notes` say in words what is missing or broken."""

    name: str
    path: Path
    config: dict[str, Any]  # by dotted keys
    rows: list[dict]
    evaluations: list[dict]
    images: list[tuple[int, Path]]
    notes: tuple[str, ...]
    updated: float  # time of the last change of metrics.jsonl, in seconds since 1970; 0 without one

    @property
    def steps(self) -> int:
        """The last step that was logged."""
        return max((int(row["step"]) for row in (*self.rows[-1:], *self.evaluations[-1:])), default=0)

    @property
    def planned(self) -> int:
        """The steps of the config; 0 if that has none."""
        steps = self.config.get("steps")
        return steps if isinstance(steps, int) else 0


def find(paths: Sequence[str]) -> dict[str, Path]:
    """The runs in folders, which are runs or hold them at any depth, by name: as given, or relative to the one folder.

    Raises: InputError for a path that is no folder, or one without a run.
    """
    runs_by_name: dict[str, Path] = {}
    for text in paths:
        root = Path(text)
        if not root.is_dir():
            raise InputError(f"--runs={text}: no such folder")
        runs = list(_runs_in(root))
        if not runs:
            raise InputError(f"--runs={text} holds no run: no folder in it has a config.json or a metrics.jsonl")
        for run in runs:
            name = run.relative_to(root).as_posix() if len(paths) == 1 and run != root else run.as_posix()
            runs_by_name[name] = run
    return {name: runs_by_name[name] for name in sorted(runs_by_name, key=natural)}


def _runs_in(root: Path) -> Iterator[Path]:
    for folder, subfolders, files in os.walk(root):
        if any(name in files for name in FILES):
            subfolders.clear()
            yield Path(folder)
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]


def read(name: str, path: Path, complete: Complete) -> Recorded:
    """A run's records. What cannot be read is empty, with a note."""
    notes = []
    info = read_info(path)
    config = part(info, "config")
    if not config:
        there = (path / "config.json").exists()
        notes.append("config.json is unreadable or has no config" if there else "no config.json")
    try:
        config = complete(config) if config else config
    except (AttributeError, TypeError, ValueError) as error:  # InputError is a ValueError
        notes.append(f"config of another version: {str(error).splitlines()[0]}")
    rows, evaluations, updated = [], [], 0.0
    file = path / "metrics.jsonl"
    try:
        rows, evaluations = read_metrics(file), read_evaluations(file)
        updated = file.stat().st_mtime if file.exists() else 0.0
    except OSError as error:
        notes.append(f"metrics.jsonl cannot be read: {error.strerror}")
    else:
        notes += [] if rows or evaluations else ["nothing is logged"]
    return Recorded(name, path, flat(config), rows, evaluations, images(path / "samples"), tuple(notes), updated)


def stamp(path: Path) -> tuple:
    """A value that changes when a run has recorded something."""
    files = [path / name for name in (*FILES, "samples", "report.html")]
    return tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in files)
