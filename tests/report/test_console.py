"""Progress: one live line on a terminal, few plain lines in a log."""

import io
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

from genjax.report import console


def run(monkeypatch, every):
    clock = iter(range(1000))
    monkeypatch.setattr(console.time, "monotonic", lambda: float(next(clock)))
    stream = io.StringIO()
    with console.Progress(1000, 0, 64, stream=stream, every=every) as progress:
        for step in range(100, 1001, 100):
            progress.update(step, {"critic/loss": 0.6123, "generator/loss": 0.83, "critic/real": 2.0})
            if step == 500:
                progress.say("saved step 500")
    return stream.getvalue().splitlines()


def test_plain_lines_say_step_rate_time_left_and_losses(monkeypatch):
    lines = run(monkeypatch, every=0)
    assert lines[0] == "step 100/1,000 (10%)  critic/loss 0.612  generator/loss 0.83"
    # A hundred steps between two readings of a clock that moves on by two a step (update and line).
    assert lines[-1].startswith("step 1,000/1,000 (100%)  ")
    assert "steps/s" in lines[-1]
    assert "images/s" in lines[-1]
    assert " left" in lines[-3]
    assert "saved step 500" in lines


def test_plain_lines_are_few(monkeypatch):
    lines = [line for line in run(monkeypatch, every=1e9) if line.startswith("step ")]
    assert [line.split()[1] for line in lines] == ["100/1,000", "1,000/1,000"]  # the first and the last


def test_plain_lines_come_no_more_often_than_asked(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: now[0])
    stream = io.StringIO()
    with console.Progress(10_000, 0, 64, stream=stream, every=10) as progress:
        for step in range(1, 101):  # an update a second
            now[0] = float(step)
            progress.update(10 * step, {"critic/loss": 0.61, "gen/loss": 0.83})
    lines = stream.getvalue().splitlines()
    steps = [int(re.match(r"step ([\d,]+)/", line)[1].replace(",", "")) for line in lines]
    assert steps == [10, *range(110, 1000, 100), 1000]  # the first, one every ten seconds, the last
    # Ten steps a second of 64 images each; 8,990 steps to go: 899 seconds.
    assert lines[-2] == "step 910/10,000 (9%)  10 steps/s  640 images/s  15:09 left  critic/loss 0.61  gen/loss 0.83"


def test_a_phase_is_named_and_its_rates_start_anew(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: now[0])
    stream = io.StringIO()
    with console.Progress(1000, stream=stream, every=0) as progress:
        for phase, pace in (("4x4", 1.0), ("8x8", 4.0)):
            progress.phase(phase, images_per_step=10)
            for _ in range(3):
                now[0] += pace
                progress.update(progress.step + 100, {})
    lines = stream.getvalue().splitlines()
    assert [line for line in lines if line.startswith("phase")] == ["phase 4x4", "phase 8x8"]
    assert lines[2] == "step 200/1,000 (20%)  100 steps/s  1,000 images/s  0:08 left"
    assert lines[5] == "step 400/1,000 (40%)"  # what came before says nothing about this phase's pace
    assert lines[6] == "step 500/1,000 (50%)  25 steps/s  250 images/s  0:20 left"


def test_a_closed_pipe_does_not_end_the_training():
    class Closed(io.StringIO):
        def write(self, _):
            raise BrokenPipeError

    with console.Progress(10, stream=Closed()) as progress:
        progress.update(1, {"loss": float("nan")})
        progress.say("still here")


@pytest.mark.parametrize("width", [30, 60, 80, 160])
def test_the_live_line_keeps_to_one_line_of_the_terminal(monkeypatch, width):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.delenv("NO_COLOR", raising=False)
    now = [0.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: now[0])
    stream = Terminal()
    with console.Progress(5000, 0, 64, stream=stream) as progress:
        progress.phase("train")
        for step in range(100, 2001, 100):
            now[0] += 5.0
            progress.update(step, {"critic/loss": 0.61, "gen/loss": 0.83, "critic/real": 0.7})
        progress.say("saved [step] 2,000")
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
    lines = [line.rstrip() for line in re.split(r"[\r\n]+", text)]
    bars = [line for line in lines if "/5,000" in line]
    assert "saved [step] 2,000" in lines
    assert bars
    assert max(map(len, bars)) < width
    assert "2,000/5,000" in bars[-1]
    shown = {
        field for field in ("2:30 left", "20 steps/s", "gen/loss 0.83", "1,280 images/s", "train") if field in bars[-1]
    }
    # 3,000 steps at 20 a second are 2:30. The narrower the terminal, the less of this.
    expected = {30: 0, 60: 2, 80: 3, 160: 5}[width]
    assert len(shown) == expected, bars[-1]


def test_showing_results_waits_for_its_libraries_until_they_are_used():
    rooms = "from genjax.report import console, curves, figures, html"
    heavy = "{'jax', 'flax', 'matplotlib', 'PIL', 'rich'}"
    code = f"import sys; {rooms}; sys.exit(len({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_notes_are_one_line_each_whatever_the_names_of_files(capsys):
    console.say_notes(SimpleNamespace(name="folder:x", notes=("a\nb\x1b[31m\udcff.gif has several frames",)))
    assert capsys.readouterr().err == "note: folder:x: a\\nb\\x1b[31m\\udcff.gif has several frames\n"
