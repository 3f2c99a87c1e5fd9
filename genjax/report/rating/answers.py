"""The answers to a sheet: files that its page saved, read and checked, and counted for each run."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genjax.errors import InputError
from genjax.report.rating.key import PAIR, REAL, Key, decoded

LARGEST = 2**26  # bytes of a file of answers


@dataclass(frozen=True)
class Answers:
    """The answers of one rater: for each trial the choice (0, 1), or None."""

    path: str
    rater: str
    key: Key
    choices: list[int | None]


@dataclass(frozen=True)
class Count:
    """The answers about a run: how many, and in how many the generated image was called real."""

    run: int  # its number, or REAL: real images that were shown alone
    trials: int
    deceived: int


def read(path: str) -> Answers:
    """A rater's answers. Raises: InputError if the file is none that a page saved."""
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST + 1)
        saved = json.loads(content) if len(content) <= LARGEST else None
    except OSError as error:
        raise InputError(f"--score={path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError):
        saved = None
    if not isinstance(saved, dict) or saved.get("genjax") != "rating":
        raise InputError(f"--score={path} has no answers: expected the .json that a page of genjax.rate saved")
    if saved.get("version") != 1:
        raise InputError(f"--score={path} is of version {saved.get('version')!r}: this genjax reads version 1")
    try:
        key = decoded(saved.get("key"), str(saved.get("sheet")))
        choices = [_choice(answer) for answer in _list(saved.get("answers"), len(key.trials))]
    except InputError as error:
        raise InputError(f"--score={path}: {error}") from error
    return Answers(path, str(saved.get("rater")), key, choices)


def _list(value: Any, length: int) -> list:
    if not isinstance(value, list) or len(value) != length:
        got = f"{len(value)} answers" if isinstance(value, list) else "no list of answers"
        raise InputError(f"it has {got} to {length} questions: save the answers again from the page")
    return value


def _choice(answer: Any) -> int | None:
    """The choice of [choice, milliseconds], or None without an answer."""
    if answer is None:
        return None
    if not isinstance(answer, list) or len(answer) != 2 or type(answer[0]) is not int or answer[0] not in (0, 1):
        raise InputError(f"an answer is {answer!r}: expected [0 or 1, milliseconds], or null")
    return answer[0]


def read_all(paths: Sequence[str]) -> list[Answers]:
    """The answers of several raters to one sheet.

    Raises: InputError for files of several sheets, such as of two seeds, or two files of one rater.
    """
    several = [read(path) for path in paths]
    first = several[0]
    for other in several[1:]:
        if other.key.seed != first.key.seed:
            raise InputError(
                f"{first.path} and {other.path} are of sheets of different seeds, {first.key.seed} and "
                f"{other.key.seed}, which show different images in different orders: score each sheet by itself"
            )
        if other.key.sheet != first.key.sheet:
            raise InputError(
                f"{first.path} and {other.path} are of different sheets, {_said(first.key)} and {_said(other.key)}: "
                "score each sheet by itself"
            )
    for i, answers in enumerate(several):
        for other in several[:i]:
            if other.rater == answers.rater:
                raise InputError(f"{other.path} and {answers.path} are of one rater: give one of the two")
    return several


def _said(key: Key) -> str:
    names = ", ".join(str(run.get("name")) for run in key.runs)
    return f"{key.sheet[:8]} ({len(key.trials)} questions on {Path(names).name if len(key.runs) == 1 else names})"


def counts(several: Sequence[Answers]) -> list[Count]:
    """The counts of each run over all raters; where images are shown alone, those of the real ones come last."""
    key = several[0].key
    shown = [(run, side, answers.choices[i]) for answers in several for i, (run, side) in enumerate(key.trials)]
    rows = []
    for number in (*range(len(key.runs)), *([REAL] if key.ask != PAIR else [])):
        own = [(side, choice) for run, side, choice in shown if run == number and choice is not None]
        deceived = sum(choice != side if key.ask == PAIR else choice == 1 for side, choice in own)
        rows.append(Count(number, len(own), deceived))
    return rows
