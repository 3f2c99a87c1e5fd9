"""The tutorials run, in smoke form, each in a process of its own; what they link to and promise is there."""

import os
import re
import sys
from concurrent.futures import ProcessPoolExecutor

import pytest
from helpers import PROCESSES
from tutorials import SMOKE, TUTORIALS, blocks, in_smoke_form

FAST = ("autoencoders", "your_loss", "devices")
"""Tutorials that run in the default suite; the others compile for longer, and are run in the slow tier."""


def execute(program: str, folder: str) -> list[str]:
    """Run a program in a folder; the files that it has made there."""
    os.chdir(folder)
    sys.path.insert(0, folder)
    exec(compile(program, "tutorial", "exec"), {"__name__": "__main__"})
    return [os.path.relpath(os.path.join(place, name)) for place, _, names in os.walk(".") for name in names]


@pytest.mark.heavy
@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=() if path.stem in FAST else pytest.mark.slow) for path in TUTORIALS],
    ids=lambda path: path.stem,
)
def test_a_tutorial_runs_in_smoke_form(path, tmp_path):
    with ProcessPoolExecutor(1, PROCESSES) as process:
        files = process.submit(execute, in_smoke_form(path), str(tmp_path)).result()
    written = re.findall(r'"([\w/]+\.(?:png|py))"', "\n".join(blocks(path)))
    assert set(written) <= {file.removeprefix("./") for file in files}


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_has_one_line_that_chooses_its_size_and_names_configs_by_it(path):
    text = "\n".join(blocks(path))
    assert text.count(SMOKE[0]) == 1
    assert "SIZE" in text.replace(SMOKE[0], "", 1)
    compile(text, path.name, "exec")


def test_the_tutorials_are_listed_on_the_site():
    from docs.site.sources import SECTIONS

    assert {page.removeprefix("tutorials/") for page in SECTIONS["Tutorials"] if "/" in page} == {
        path.stem for path in TUTORIALS
    }
