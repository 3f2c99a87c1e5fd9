"""Files that are either whole or not there."""

import contextlib
import json
import os
import secrets
from pathlib import Path


def write_bytes(path: str | os.PathLike, data: bytes) -> None:
    """Write a file in one piece: a reader, or a crash at any moment, finds the old content or the new one.

    Folders on the way are created; a link is followed.
    Raises: OSError (disk full, not writable); then the old file is as it was and nothing else is left behind.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():  # a device or a pipe (/dev/stdout) must be written to, never replaced
        path.write_bytes(data)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not tempfile: its files are private (0600) and stay so after the rename, whatever the user's umask says.
    temporary = path.with_name(f".{secrets.token_hex(6)}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def append_line(path: str | os.PathLike, line: str) -> None:
    """Add a line at the end in one piece, on a line of its own even if the last one was torn. Raises: OSError."""
    with open(path, "ab+") as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            line = line if file.read(1) == b"\n" else "\n" + line
        file.write(line.encode() + b"\n")


def cache_folder(name: str) -> Path:
    """Where what can be made again is kept between processes: under the user's cache folder."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "genjax" / name


def read_metrics(path: str | os.PathLike) -> list[dict]:
    """The rows of training in a metrics.jsonl by rising step, one a step; nothing if there is no such file.

    A line that is not whole (the process died while writing it) is skipped. Where a step was logged twice, as after
    a continuation from an earlier checkpoint, the later values hold.
    """
    rows: dict[int, dict] = {}
    for row in _lines(path):
        if "evaluation" not in row:
            rows.setdefault(int(row["step"]), {}).update(row)
    return [rows[step] for step in sorted(rows)]


def read_evaluations(path: str | os.PathLike) -> list[dict]:
    """The results in a metrics.jsonl by rising step, else in their order; a repetition replaces what it repeats.

    Each has "step", "evaluation" (the metric), "values" by label, "of" (what was judged), "protocol" and "seconds".
    """
    found: dict[str, dict] = {}
    for row in _lines(path):
        if isinstance(row.get("values"), dict) and isinstance(row.get("protocol"), dict):
            what = [int(row["step"]), row["evaluation"], row["protocol"], row.get("of")]
            found[json.dumps(what, sort_keys=True)] = row
    return sorted(found.values(), key=lambda row: int(row["step"]))


def _lines(path):
    try:
        lines = Path(path).read_bytes().splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            row = json.loads(line)
            int(row["step"])
        except (ValueError, TypeError, KeyError, OverflowError):
            continue
        yield row
