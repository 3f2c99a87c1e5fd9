"""Names of files and folders in a run's config, found from any working folder."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from genjax.config import flat
from genjax.data import SOURCES, is_source
from genjax.data.registry import COMPOSED, LISTS, split_composed
from genjax.files import expand
from genjax.run import origin
from genjax.text import join_list, split_list

PLACES = ("data.name", "data.dir", "style.images", "style.masks")
"""Keys that say where the data and images are; their contents have digests of their own."""

PATHS = (*PLACES[1:], "init.weights")
"""Keys whose values are paths."""

WORDS = (*(r.prefix for r in SOURCES if r.name.endswith((":PATH", ":FILE"))), "vgg", "inception", "classifier")
"""Words before the colon of a name that ends in a path: "folder:photos", "vgg:vgg19.pth"."""


def located(config: Any, folder: str | None) -> dict[str, Any]:
    """The values of a config that name relative paths, with those of `folder` in their place, by dotted key.

    A path that exists in the working folder alone is left; one that exists in neither is of `folder`, which messages
    then name.
    """
    folder = folder or origin.folder()
    return dict(_located(config, Path(folder))) if folder else {}


def shortened(text: str) -> str:
    """A text with the last part of each absolute path: "folder:/home/me/photos" -> "folder:photos".

    Folders of one machine say nothing on another one.
    """
    return re.sub(r"(?<![\w./~])/(?!/)(?:[^/,\"]+/)*(?=[^/])", "", text)


def _located(config, folder: Path) -> Iterator[tuple[str, Any]]:
    for key, value in flat(config).items():
        if isinstance(value, str):
            value, old = _name(key, value, folder), value
        elif isinstance(value, list) and key in PATHS:
            value, old = [_path(path, folder) for path in value], value
        else:
            continue
        if value != old:
            yield key, value


def _name(key: str, text: str, folder: Path) -> str:
    """A value with its path in `folder`."""
    if key in PATHS:
        return _path(text, folder)
    if key == "data.labels":  # a table beside the images, or any other
        file, column = re.fullmatch(r"(?s)(.*?)((?<=\.csv|\.npy):.*|(?<=\.json):.*)?", text).groups(default="")
        return _path(file, folder) + column if (folder / file).is_file() else text
    word, colon, rest = text.partition(":")
    if colon and word in LISTS:
        return f"{word}:" + join_list(_name(key, name, folder) for name in split_list(rest))
    if colon and word in COMPOSED:
        beginning, rest = split_composed(text)
        return beginning + _name(key, rest, folder)
    if key == "eval.features" and "," in text:
        return join_list(_name(key, name, folder) for name in split_list(text))
    if word not in WORDS or not rest:
        is_path = key == "data.name" and not is_source(text)
        return _path(text, folder) if is_path else text
    path, digest = re.fullmatch(r"(?s)(.+?)(@[0-9a-fA-F]{64})?", rest).groups(default="")
    return f"{word}:{_path(path, folder)}{digest}"


def _path(text: str, folder: Path) -> str:
    path = Path(expand(text))
    there = folder / path
    if not text or path.is_absolute() or (path.exists() and (not there.exists() or path.samefile(there))):
        return text
    return str(there)
