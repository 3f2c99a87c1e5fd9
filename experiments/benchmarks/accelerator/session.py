"""One session: its parts within a budget of seconds, and results that are on disk after every row."""

import datetime
import json
import math
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.benchmarks.accelerator import page
from experiments.benchmarks.accelerator.parts import Context, Part, why_not
from experiments.benchmarks.accelerator.process import Failed, LeftOut, rows
from genjax.files import write_bytes
from genjax.run import origin
from genjax.run.description import command

RESULTS, PAGE = "results.json", "index.html"
PATIENCE = 3.0
"""On an accelerator, a part is stopped after this many times its estimate."""


class Stopped(BaseException):
    """A signal asked for the end."""

    def __init__(self, number: int):
        super().__init__(signal.Signals(number).name)
        self.number = number


class Session:
    """Parts that were run, are running, or are left."""

    def __init__(self, folder: Path, parts: Sequence[Part], budget: float, smoke: bool):
        self.folder, self.parts, self.budget = folder, parts, budget
        self.results: dict[str, Any] = {
            "command": command(),
            "began": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "budget_seconds": budget,
            "smoke": smoke,
            "git": origin.git(),
            "parts": {part.name: _waiting(part) for part in parts},
        }

    def run(self) -> int:
        """Run what fits. Returns: 0, or 1 if a part failed or a check did not pass, or 128 + the number of a signal."""
        deadline = time.monotonic() + self.budget
        old = {number: signal.signal(number, _stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            with tempfile.TemporaryDirectory(prefix="genjax-") as scratch:
                for part in self.parts:
                    self._run(part, Path(scratch), deadline)
        except Stopped as error:
            for record in self.results["parts"].values():
                if record["status"] in ("waiting", "running"):
                    record.update(status="stopped", reason=str(error))
            self.save()
            return 128 + error.number
        finally:
            for number, handler in old.items():
                signal.signal(number, handler)
        return int(any(_is_bad(record) for record in self.results["parts"].values()))

    def save(self) -> None:
        """Write the results and the page, each completely or not at all. Raises: OSError."""
        write_bytes(self.folder / RESULTS, json.dumps(_plain(self.results), indent=1).encode() + b"\n")
        write_bytes(self.folder / PAGE, page.write(self.results))

    def _run(self, part: Part, scratch: Path, deadline: float) -> None:
        record = self.results["parts"][part.name]
        facts = self.results["parts"][self.parts[0].name]["rows"]
        platform = facts[0]["platform"] if facts else ""
        if reason := why_not(part, deadline - time.monotonic(), platform):
            record.update(status="left out", reason=reason)
            return self._ended(record, part)
        record["status"] = "running"
        self.save()
        begin = time.monotonic()
        last = deadline if platform == "cpu" else min(deadline, begin + PATIENCE * part.seconds)
        where = Context(self.folder, scratch, platform)
        try:
            for run in part.runs:
                for row in rows(part, run, where, max(0, last - time.monotonic())):
                    record["rows"].append(row)
                    record["seconds"] = round(time.monotonic() - begin, 1)
                    self.save()
            record["status"] = "done"
        except LeftOut as error:
            record.update(status="left out", reason=str(error))
        except Failed as error:
            record.update(status="failed", reason=str(error))
        record["seconds"] = round(time.monotonic() - begin, 1)
        self._ended(record, part)

    def _ended(self, record: dict[str, Any], part: Part) -> None:
        self.save()
        reason = f": {record['reason']}" if record["reason"] else ""
        print(f"{part.name}: {record['status']}, {record['seconds']:.0f} s{reason}", file=sys.stderr, flush=True)


def _waiting(part: Part) -> dict[str, Any]:
    return {
        "says": part.says,
        "table": part.table,
        "estimate_seconds": part.seconds,
        "status": "waiting",
        "reason": "",
        "seconds": 0.0,
        "rows": [],
    }


def _is_bad(record: dict[str, Any]) -> bool:
    return record["status"] == "failed" or any(row.get("passed") is False for row in record["rows"])


def _stop(number: int, _: Any) -> None:
    raise Stopped(number)


def _plain(value: Any) -> Any:
    """The value as JSON has it: a number that is not finite is None."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
