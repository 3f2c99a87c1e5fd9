"""Files that are written completely or not at all."""

import contextlib
import errno
import os
import secrets
from pathlib import Path


def write_bytes(path: str | os.PathLike, data: bytes) -> None:
    """Write a file atomically: a reader, or a crash at any moment, finds the old content or the new one.

    Parent folders are created; a link is followed.
    Raises: OSError (disk full, not writable); then the old file is unchanged and nothing else is left behind.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():  # a device or a pipe (/dev/stdout) must be written to, never replaced
        path.write_bytes(data)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not tempfile, whose files are private (0600) and stay so after the rename, whatever the user's umask is.
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


def try_writing(path: str | os.PathLike, append: bool = False) -> None:
    """Try whether a file can be written, or appended to, before the work; nothing is changed, and no folder is made.

    Raises: OSError.
    """
    path = Path(os.path.realpath(path))
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if append and path.is_file():
        open(path, "ab").close()
    elif not path.exists() or path.is_file():  # no device and no pipe
        folder = next(parent for parent in path.parents if parent.exists())
        temporary = folder / f".{secrets.token_hex(6)}.tmp"
        temporary.touch(exist_ok=False)
        temporary.unlink()


def append_line(path: str | os.PathLike, line: str) -> None:
    """Append a line in one write, on a new line even if the last one is incomplete. Raises: OSError."""
    with open(path, "ab+") as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            line = line if file.read(1) == b"\n" else "\n" + line
        file.write(line.encode() + b"\n")


def cache_folder(name: str) -> Path:
    """A folder for reproducible files that later processes reuse, in the user's cache folder."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "genjax" / name
