"""Text: numbers that read well, tables that align, lines that do not flood a log."""

import io

import pytest

from genjax.report import console


@pytest.mark.parametrize(("seconds", "text"), [(7, "0:07"), (208, "3:28"), (3725, "1:02:05"), (-1, "0:00")])
def test_durations(seconds, text):
    assert console.duration(seconds) == text


@pytest.mark.parametrize(
    ("n", "text"), [(512, "512 B"), (1_992_294, "1.9 MiB"), (2**40, "1.0 TiB"), (2**20 - 1, "1.0 MiB")]
)
def test_bytes(n, text):
    assert console.bytes_text(n) == text


def test_a_table_aligns_numbers_to_the_right_and_text_to_the_left():
    text = console.table([("kernel", 204_800, None), ("b", 64, 0.5)], ("name", "size", "share"))
    assert text.splitlines() == [
        "name       size  share",
        "------  -------  -----",
        "kernel  204,800",
        "b            64    0.5",
    ]
    with pytest.raises(ValueError, match="needs 2 cells"):
        console.table([(1,)], ("a", "b"))


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
