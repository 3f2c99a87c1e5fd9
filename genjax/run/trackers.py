"""Trackers as sinks of a run: chosen by config, going on in the same run there, and never in the way of training."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ml_collections import ConfigDict

from genjax.config import flat, pick
from genjax.errors import InputError, need
from genjax.files import write_bytes
from genjax.run.sinks import Sink
from genjax.run.workdir import TRACKERS, Workdir
from genjax.run.writers import WRITERS, About, Writer
from genjax.text import split_list


def names(config: ConfigDict, tensorboard: bool = False) -> list[str]:
    """The trackers of log.trackers, and with `tensorboard` that one as well.

    Raises: InputError for an unknown name, a tracker whose package is not installed, and an empty log.project.
    """
    chosen = list(dict.fromkeys(filter(None, split_list(config.log.trackers))))
    for name in chosen:
        pick(WRITERS, name, "log.trackers")
    if not config.log.project.strip():
        raise InputError(f"log.project={config.log.project!r}: expected the name of a project")
    asked = dict.fromkeys(chosen, f"log.trackers={config.log.trackers!r}")
    asked |= {"tensorboard": "--tensorboard"} if tensorboard else {}
    for name, flag in asked.items():
        need(WRITERS[name].package, flag)
    return list(asked)


def sinks(config: ConfigDict, tensorboard: bool, workdir: Workdir, say: Callable[[str], None]) -> "list[Tracker]":
    """The sinks of a run's trackers; nothing is imported or begun yet. Raises: InputError as `names`."""
    about = About(workdir.path, config.log.project, flat(config))
    return [Tracker(name, about, say) for name in names(config, tensorboard)]


class Tracker(Sink):
    """One run in one tracker, which begins when something is logged.

    The run's folder keeps its id there, and the last step of each curve and sequence: a process that resumes goes on
    in the same run, and what it computes again, to the same bits, is not logged again. A step is noted before it is
    logged, so a process that dies in between loses a point and doubles none. The first failure ends the logging with
    one line.
    """

    def __init__(self, name: str, about: About, say: Callable[[str], None]):
        self._name = name
        self._about = about
        self._say = say
        self._file = about.folder / TRACKERS
        self._writer: Writer | None = None
        self._steps: dict[str, int] = {}  # name -> the last step that was logged
        self._failed = False

    def scalars(self, step, values):
        """Log what was not logged yet."""
        with self._guard():
            if new := self._new(step, values):
                self._writer.scalars(step, {name: values[name] for name in new})

    def preview(self, folder, step, image, title=""):
        """Log the image in the sequence of its folder."""
        with self._guard():
            if self._new(step, [folder]):
                self._writer.image(step, folder, image.convert("RGB"))

    def flush(self):
        """Write what is buffered."""
        if self._writer:
            with self._guard():
                self._writer.flush()

    def close(self):
        """End the logging; a later process goes on."""
        writer, self._writer = self._writer, None
        if writer:
            with self._guard():
                writer.close()

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """Do nothing after a failure. The body is always entered; `_new` has no names then."""
        try:
            yield
        except Exception as error:  # a library of others, its network and its server may raise anything
            if not self._failed:
                reason = " ".join(str(error).split())[:200]
                fault = f"{type(error).__name__}: {reason}"
                self._say(f"warning: {self._name} failed, nothing more is logged there ({fault})")
            self._failed = True
            self._writer = None

    def _new(self, step: int, names: Mapping[str, Any] | list[str]) -> list[str]:
        """The names that have no such step yet; it is noted that they have one now."""
        if self._failed:
            return []
        if not self._writer:
            self._begin()
        new = [name for name in names if self._steps.get(name, -1) < step]
        if new:
            self._steps |= dict.fromkeys(new, step)
            self._note()
        return new

    def _begin(self) -> None:
        notes = self._read().get(self._name, {})
        self._writer = WRITERS[self._name](self._about, notes.get("run", ""))
        self._steps = dict(notes.get("steps", {}))
        self._say(f"{self._name} {'goes on' if notes else 'begins'}: {self._writer.where}")

    def _read(self) -> dict[str, Any]:
        return json.loads(self._file.read_text("utf-8")) if self._file.exists() else {}

    def _note(self) -> None:
        notes = self._read() | {self._name: {"run": self._writer.id, "steps": self._steps}}
        write_bytes(self._file, json.dumps(notes, indent=1).encode())
