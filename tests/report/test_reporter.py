"""The report is the same, whoever writes it: a process of its own, or, where that fails, the run itself."""

import json
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from genjax.report import html, reporter
from genjax.report.reporter import Reporter

FILES = ("report.html", "curves.png", "samples.gif")


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "a run\n of \udcff"  # names that are neither one line nor text
    (folder / "samples").mkdir(parents=True)
    rows = [{"step": step, "seconds": step / 2, "loss": 1 / step} for step in (1, 2)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for step in (1, 2):
        Image.fromarray(np.full((8, 8), step, np.uint8)).save(folder / "samples" / f"step_{step:08d}.png")
    return folder


@pytest.fixture
def alone(monkeypatch):
    """As in a command: Matplotlib was not imported yet, and there are several cores."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


@pytest.fixture
def written_here(monkeypatch):
    """The folders whose reports this process has written."""
    folders = []
    monkeypatch.setattr(html, "write", folders.append)
    return folders


def test_the_process_writes_what_the_run_would(run, alone, written_here, tmp_path):
    with Reporter(run) as writer:
        writer.write()
        writer.write()  # a later one
    assert written_here == [run]  # the later one alone
    contents = [(run / name).read_bytes() for name in FILES]
    assert sorted(path.name for path in run.iterdir()) == sorted([*FILES, "metrics.jsonl", "samples"])
    again = tmp_path / "again" / run.name
    shutil.copytree(run, again, ignore=shutil.ignore_patterns(*FILES))
    subprocess.run([sys.executable, "-c", "import sys; from genjax.report import html; html.write(sys.argv[1])", again])
    assert contents == [(again / name).read_bytes() for name in FILES]


def test_what_is_begun_is_complete_at_the_end(run, alone, written_here):
    with Reporter(run) as writer:
        writer.begin()
        writer.begin()
    assert written_here == []
    assert all((run / name).exists() for name in FILES)


def test_a_process_that_is_not_used_ends(run, alone, written_here):
    with Reporter(run) as writer:
        process = writer._process
    assert process.returncode == -signal.SIGKILL
    assert not any((run / name).exists() for name in FILES)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_that_is_killed_is_done_without(when, run, alone, written_here):
    with Reporter(run) as writer:
        if when == "after":
            os.kill(writer._process.pid, signal.SIGSTOP)
            writer.begin()
        writer._process.kill()
        writer.write()
    assert written_here == [run]


def test_a_run_that_cannot_be_reported_says_why(tmp_path, alone):
    with Reporter(tmp_path) as writer, pytest.raises(reporter.html.InputError, match="holds no run"):
        writer.write()


@pytest.mark.parametrize("reason", ["no memory", "one core", "imported", "no program"])
def test_where_no_process_helps_or_can_be_there_is_none(reason, run, alone, written_here, monkeypatch):
    def no_memory(*_, **__):
        raise MemoryError if reason != "no memory" else OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(subprocess, "Popen", no_memory)
    if reason == "one core":
        monkeypatch.setattr(os, "cpu_count", lambda: 1)
    if reason == "imported":
        monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    if reason == "no program":
        monkeypatch.setattr(sys, "executable", "")
    with Reporter(run) as writer:
        writer.write()
    assert written_here == [run]


def test_signals_of_the_terminal_do_not_reach_it(run, alone, written_here):
    with Reporter(run) as writer:
        assert os.getsid(writer._process.pid) != os.getsid(0)


def test_it_imports_neither_jax_nor_the_nets():
    check = "import sys, genjax.report.reporter; print(sorted({'jax', 'flax', 'matplotlib'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
