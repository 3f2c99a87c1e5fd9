"""The files in a run's folder as pages read them: what is missing or broken is empty."""

import json
import re
from pathlib import Path
from typing import Any


def read_info(workdir: Path) -> dict[str, Any]:
    """The content of config.json; empty if it is missing or broken."""
    try:
        info = json.loads((workdir / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return info if isinstance(info, dict) else {}


def part(info: dict[str, Any], name: str) -> dict[str, Any]:
    """A part of it that should be a mapping; empty if it is none."""
    value = info.get(name)
    return value if isinstance(value, dict) else {}


def images(folder: Path) -> list[tuple[int, Path]]:
    """The images of a run by step, first to last."""
    matches = ((re.fullmatch(r"step_(\d+)\.png", path.name), path) for path in folder.glob("step_*.png"))
    return sorted((int(match[1]), path) for match, path in matches if match)
