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


def read_metrics(path: str | os.PathLike) -> list[dict]:
    """The rows of a metrics.jsonl by rising step, one a step; nothing if there is no such file.

    A line that is not whole (the process died while writing it) is skipped. Where a step was logged twice, as after
    a continuation from an earlier checkpoint, the later values hold.
    """
    rows: dict[int, dict] = {}
    try:
        lines = Path(path).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    for line in lines:
        try:
            row = json.loads(line)
            step = int(row["step"])
        except (ValueError, TypeError, KeyError, OverflowError):
            continue
        rows.setdefault(step, {}).update(row)
    return [rows[step] for step in sorted(rows)]
