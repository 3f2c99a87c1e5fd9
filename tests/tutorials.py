"""The tutorials of docs/tutorials as programs: their Python in the order of the page."""

import re
from pathlib import Path

from helpers import ROOT

FOLDER = ROOT / "docs" / "tutorials"
TUTORIALS = sorted(FOLDER.glob("*.md"))
SMOKE = 'SIZE = ""', 'SIZE = ":smoke"'
"""The line that chooses the size of a tutorial's runs, and the one in its place that makes them take seconds."""


def blocks(path: Path) -> list[str]:
    """The Python of a page, block by block."""
    return re.findall(r"^```python\n(.*?)^```", path.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def in_smoke_form(path: Path) -> str:
    """The program of a page, with runs of seconds."""
    return "\n".join(blocks(path)).replace(*SMOKE)
