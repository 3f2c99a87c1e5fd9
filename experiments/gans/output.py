"""What experiments of this folder leave: images, and their numbers as JSON, in the folder of --out."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from absl import flags

from genjax.errors import InputError
from genjax.files import write_bytes
from genjax.report.figures import save_png

INK = "#333333"


def define_flags() -> None:
    """The one flag that they have in common."""
    flags.DEFINE_string("out", "", "The folder of the image and of its numbers; it is made.")


def folder(out: str) -> Path:
    """The folder, before anything is computed. Raises: InputError if none is named, or it cannot be one."""
    if not out:
        raise InputError("--out is missing: name the folder of the image and its numbers, as in --out=runs/figures")
    try:
        Path(out).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out={out}: expected a folder, or a place where one can be made ({error})") from error
    return Path(out)


def save(folder: Path, numbers: tuple[str, Mapping[str, Any]], images: Mapping[str, Any]) -> None:
    """Write NAME.json, and NAME.png of each image; say where. Raises: InputError for a folder that takes no files."""
    name, content = numbers
    try:
        write_bytes(folder / f"{name}.json", f"{json.dumps(content, indent=1)}\n".encode())
        for title, image in images.items():
            save_png(folder / f"{title}.png", image, title)
    except OSError as error:
        raise InputError(f"--out={folder} cannot be written to: {error.strerror or error}") from error
    print(*[str(folder / f"{name}.json"), *[str(folder / f"{title}.png") for title in images]], sep="\n")


def named(axes, title: str, x: str, y: str) -> None:
    """The texts of a panel, in the house's style."""
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK)
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
