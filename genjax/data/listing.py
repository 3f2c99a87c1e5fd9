"""The files of a folder or a zip: its images by name, and an account of all others."""

import contextlib
import os
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from genjax.data.images import EXPECTED, SUFFIXES
from genjax.errors import InputError

MAX_MEMBER = 2**30
"""Largest size in bytes of an unpacked file of a zip that is read."""
HIDDEN_FOLDERS = "hidden folders"
REPEATED = "repeated names"
SPECIAL = "pipes, sockets and devices"  # reading one would block


@dataclass(frozen=True)
class Listing:
    """The files of a folder or a zip, by names relative to it, with "/" on every system."""

    root: str
    images: list[str]  # sorted
    others: list[tuple[str, str]]  # name and kind of all other files: an ending such as ".txt", or "hidden"
    read: Callable[[str], Path | bytes]  # name -> path or contents

    def account(self, used: int, table: str = "", broken: int = 0) -> str:
        """A line for what was left out, such as "used 12; left out 3: .txt 3"; "" if nothing was.

        `used` and `broken` are numbers of images; the file `table` was read for labels.
        """
        counts = Counter(kind for name, kind in self.others if name != table)
        kinds = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        parts = [f"{kind} {count:,}" for kind, count in kinds[:8]]
        if more := sum(count for _, count in kinds[8:]):
            parts.append(f"others {more:,}")
        parts += [f"broken {broken:,}"] if broken else []
        if not parts:
            return ""
        return f"used {used:,}; left out {counts.total() + broken:,}: {', '.join(parts)}"


def list_files(root: Path) -> Listing:
    """The files of a folder and its sub-folders, or of a zip.

    Hidden files and folders, whose names begin with ".", and the folder __MACOSX are no images. Links are followed, but
    not to a folder that holds them.
    Raises: InputError if there is no such folder or zip, it cannot be read, or it has no image.
    """
    if root.is_dir():
        listing = _list_folder(root)
    elif root.suffix.lower() == ".zip" and root.is_file():
        listing = _list_zip(root)
    else:
        reason = "is a file" if root.exists() else "does not exist"
        raise InputError(f"folder:{root} {reason}: expected a folder or a .zip of images")
    if not listing.images:
        others = listing.account(0).partition("left out ")[2]
        contents = f"has no image among {others}" if others else "is empty"
        raise InputError(f"folder:{root} {contents}. Expected {EXPECTED}")
    return listing


def _list_folder(root: Path) -> Listing:
    return _listing(str(root), walk(root), lambda name: root / name)


def walk(root: Path) -> list[tuple[str, str]]:
    """Names, relative to a folder, and kinds of all files below it, in a fixed order; see `Listing`.

    Raises: InputError if a folder cannot be read.
    """
    return list(_walk(root, "", (_identity(root),)))


def _walk(folder: os.PathLike, prefix: str, within: tuple) -> Iterator[tuple[str, str]]:
    """Names and kinds of all files below a folder; `within` are the identities of it and the folders that hold it."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(f"{folder} cannot be read ({error.strerror}): change its permissions.") from error
    for entry in entries:
        name = prefix + entry.name
        if not _is_dir(entry):
            yield name, _kind(name) if _is_regular(entry) else SPECIAL
        elif _is_hidden(entry.name):
            yield f"{name}/", HIDDEN_FOLDERS
        elif (identity := _identity(entry)) not in within:
            yield from _walk(entry, f"{name}/", (*within, identity))


def _is_dir(entry: os.DirEntry) -> bool:
    with contextlib.suppress(OSError):  # of a link in a circle of links
        return entry.is_dir()
    return False


def _is_regular(entry: os.DirEntry) -> bool:
    """Whether an entry is a file, or a link to one or to nothing, which is a broken file."""
    with contextlib.suppress(OSError):
        return entry.is_file() or not os.path.exists(entry)
    return True


def _identity(path: os.PathLike) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_dev, status.st_ino


def _list_zip(path: Path) -> Listing:
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise InputError(f"{path} cannot be read as a zip: {getattr(error, 'strerror', None) or error}") from error
    members, repeated = {}, []
    for member in archive.infolist():
        name = _unpacked_name(member.filename)
        if member.filename.endswith(("/", "\\")) or not name:
            continue
        if name in members:
            repeated.append((name, REPEATED))
        members[name] = member  # the last of a name is what unpacking leaves
    top = _common_folder([name for name in members if not any(map(_is_hidden, name.split("/")))])

    def read(name: str) -> bytes:
        member = members[top + name]
        if member.flag_bits & 1:
            raise InputError(f"{path} is encrypted: unpack it, and name the folder")
        if member.file_size > MAX_MEMBER:
            raise InputError(
                f"{path}: {name} has {member.file_size:,} bytes, more than the {MAX_MEMBER:,} that are read"
            )
        try:
            return archive.read(member)
        except NotImplementedError as error:
            raise InputError(f"{path}: {name} is packed in an unknown way: unpack it, and name the folder") from error
        except Exception:  # damaged in one of the many ways that zipfile and zlib report
            return b""

    names = sorted(name.removeprefix(top) for name in members)
    return _listing(str(path), [(name, _kind(name)) for name in names] + repeated, read)


def _unpacked_name(name: str) -> str:
    """The name that a zip's member has when it is unpacked: never outside of the folder, with "/" for Windows' "\\"."""
    return "/".join(part for part in name.replace("\\", "/").split("/") if part not in ("", ".", ".."))


def _common_folder(names: list[str]) -> str:
    """The folder "x/" that a zip of the folder x has around everything; "" if there is none."""
    tops = {name.partition("/")[0] for name in names}
    return f"{tops.pop()}/" if len(tops) == 1 and all("/" in name for name in names) else ""


def _listing(root: str, files: list[tuple[str, str]], read: Callable) -> Listing:
    images = sorted(name for name, kind in files if kind == "image")
    return Listing(root, images, [(name, kind) for name, kind in files if kind != "image"], read)


def _kind(name: str) -> str:
    """The kind of a file by its name: "image", "hidden", or an ending such as ".txt"."""
    if any(map(_is_hidden, name.split("/"))):
        return "hidden"
    suffix = PurePosixPath(name).suffix.lower()
    return "image" if suffix in SUFFIXES else suffix or "without an ending"


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"
