"""Files and folders: the paths that users write, files that are written completely or not at all, the cache folder."""

import atexit
import contextlib
import errno
import os
import re
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from genjax.errors import InputError


def check_is_path(text: str | os.PathLike) -> None:
    """Refuse an address in the place of a path: it would become a folder of that name. Raises: InputError."""
    if match := re.match("(gs|s3|https?|hdfs|abfss?|az|ftp|file):/", os.fspath(text)):
        remedy = "; genjax.train copies a run to object storage with --backup" if match[1] == "gs" else ""
        raise InputError(f"{os.fspath(text)} is an address: expected a path on this machine, mounted or copied{remedy}")


def expand(text: str | os.PathLike) -> str:
    """A path as the user wrote it, with a leading ~ as the home folder: a shell leaves it after the = of a flag.

    Raises: InputError if there is no such home, and for an address such as gs://bucket/folder.
    """
    check_is_path(text)
    path = os.path.expanduser(os.fspath(text))  # `Path.expanduser` raises where there is none
    if path.startswith("~"):
        raise InputError(f"{text}: there is no such home folder; for a name that begins with ~ write ./{text}")
    return path


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


@contextlib.contextmanager
def new_folder(path: str | os.PathLike) -> Iterator[Path]:
    """A folder that is there completely or not at all: it gets its name, of none or an empty one, at the end.

    Raises: OSError (disk full, not writable); then nothing is left behind.
    """
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{secrets.token_hex(6)}.tmp")
    temporary.mkdir()
    try:
        yield temporary
        with contextlib.suppress(FileNotFoundError):
            path.rmdir()
        os.rename(temporary, path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
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
        file.write(encode(line) + b"\n")


def encode(text: str) -> bytes:
    """Text as UTF-8. A byte of a file name that is not UTF-8, say 0xff, is written as JSON has it: \\udcff."""
    return text.encode("utf-8", "backslashreplace")


def user_cache(name: str) -> Path:
    """A folder in the user's cache folder, which need not exist."""
    home = os.path.expanduser(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    return Path(home) / "genjax" / name


def cache_folder(name: str) -> Path:
    """A folder for reproducible files that later processes reuse, in the user's cache folder.

    Where that cannot be written, a warning says so, and the folder lasts as long as this process.
    """
    return _writable(user_cache("")) / name


@cache
def _writable(folder: Path) -> Path:
    try:
        if folder.parts[0].startswith("~"):
            raise FileNotFoundError("no home folder")
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
        return folder
    except OSError as error:
        reason = error.strerror or error
        print(f"warning: nothing is kept in {folder} ({reason}): set XDG_CACHE_HOME to another folder", file=sys.stderr)
    folder = Path(tempfile.mkdtemp(prefix="genjax-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
