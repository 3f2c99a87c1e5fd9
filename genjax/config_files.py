"""Config files by path or by name: "mine.py:smoke", "configs/dcgan.py", "dcgan" of those that genjax comes with.

The folder of a run stands for the run's config.
"""

import importlib.util
import traceback
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from genjax.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from ml_collections import ConfigDict

PACKAGE = Path(__file__).parent
FOLDER = next((path for path in (PACKAGE / "configs", PACKAGE.parent / "configs") if path.is_dir()), PACKAGE)
"""The folder of the configs: in an installed package a part of it, in a checkout beside it."""


def names() -> list[str]:
    """The names of the configs that genjax comes with."""
    return sorted(path.stem for path in FOLDER.glob("[!_]*.py")) if FOLDER != PACKAGE else []


def located(text: str) -> str:
    """A config by its path: "dcgan:smoke" and "configs/dcgan.py:smoke" are in `FOLDER` where there is no such file.

    The folder of a run is the variant of a config file that reads it.
    """
    if (Path(text) / "config.json").is_file():
        return f"{PACKAGE / 'run' / 'as_config.py'}:{text}"
    path, colon, variant = text.partition(":")
    own = Path(path)
    if own.is_file() or own.suffix not in ("", ".py") or str(own.parent) not in (".", "configs"):
        return text
    if own.stem in names():
        return f"{FOLDER / own.stem}.py{colon}{variant}"
    return text


def load(text: str) -> "ConfigDict":
    """The config of a path or name, with a variant as in "dcgan:smoke"; new each time. Raises: InputError."""
    path, _, variant = located(text).partition(":")
    module = load_module(path, "config", names())
    if not hasattr(module, "get_config"):
        raise InputError(f"{path} is no config: it has no get_config (those of configs/ have)")
    return module.get_config(variant)


def load_module(path: str, kind: str, known: list[str] | None = None) -> ModuleType:
    """The module of a Python file, imported. Raises: InputError if it is not there, or fails; `known` are other names.

    `kind` is what the file holds, in a word.
    """
    file = Path(path)
    if file.suffix != ".py" or not file.is_file():
        near = sorted(map(str, file.parent.glob("[!_]*.py"))) if file.parent.is_dir() and file.suffix else known or []
        there = f"; choose from {', '.join(near)}" if near else ""
        raise InputError(f"{path}: no such {kind}{did_you_mean(path, near)}{there}")
    spec = importlib.util.spec_from_file_location(f"genjax_{kind}_{file.stem}", file)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # any fault of the file
        raise InputError(f"{path} cannot be loaded: {fault(error, file)}") from error
    return module


def fault(error: Exception, file: Path) -> str:
    """An error that a Python file raised, in words, with the line of the file."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == file]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    words = error.msg if isinstance(error, SyntaxError) else error
    return f"{type(error).__name__}: {words}" + (f" (line {line})" if line else "")
