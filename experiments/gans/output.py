"""Output of the experiments in this folder: figures, and their numbers as JSON, in the folder of --out."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genjax.cli.flags import define_path
from genjax.errors import InputError
from genjax.files import write_bytes
from genjax.report.figures import save_png

INK = "#333333"


def define_flags() -> None:
    """Define --out, the flag that all experiments of this folder share."""
    define_path("out", "", "Output folder of the figures and their numbers; created if missing.")


def folder(out: str) -> Path:
    """The output folder, created before anything is computed. Raises: InputError if it is missing or impossible."""
    if not out:
        raise InputError("--out is missing: name a folder for the figures and their numbers, as in --out=runs/figures")
    try:
        Path(out).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out={out}: expected a folder, or a path where one can be created ({error})") from error
    return Path(out)


def save(folder: Path, numbers: tuple[str, Mapping[str, Any]], images: Mapping[str, Any]) -> None:
    """Write NAME.json and one TITLE.png per image, and print their paths. Raises: InputError if that is impossible."""
    name, content = numbers
    try:
        write_bytes(folder / f"{name}.json", f"{json.dumps(content, indent=1)}\n".encode())
        for title, image in images.items():
            save_png(folder / f"{title}.png", image, title)
    except OSError as error:
        raise InputError(f"--out={folder} cannot be written to: {error.strerror or error}") from error
    print(*[str(folder / f"{name}.json"), *[str(folder / f"{title}.png") for title in images]], sep="\n")


def set_labels(axes, title: str, x: str, y: str) -> None:
    """Set the title and axis labels of a panel, in the style of all figures."""
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK)
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
