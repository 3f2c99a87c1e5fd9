"""Processes that read streamed data: the batches of one thread, to the bit; and their end."""

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from genjax import data
from genjax.data import encoded, portable, workers
from genjax.data.feed import Feed
from genjax.data.order import StepOrder
from genjax.engine.mesh import make_mesh
from genjax.engine.phase import Phase, ScheduledPhase
from genjax.errors import InputError


@pytest.fixture
def pictures(tmp_path, load, monkeypatch):
    """Twenty streamed PNG files in two classes."""
    rng = np.random.default_rng(0)
    for i in range(20):
        path = tmp_path / "ab"[i % 2] / f"{i:02d}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8)).save(path)
    monkeypatch.setattr(encoded, "MAX_IN_MEMORY", 0)
    return load(f"folder:{tmp_path}")


def taken(source, count, step, calls, **phase):
    """The batches of some calls from a step on: a phase of ten steps of two batches, after three steps of four."""
    scheduled = ScheduledPhase(Phase("read", 10, 3, None, batches_per_step=2, **phase), 3, 12)
    batches = Feed(source, 7, make_mesh(), 0, count).batches(scheduled, step, 4)
    with contextlib.closing(batches):
        calls = [{name: np.asarray(x)[:number] for name, x in batches.take(number).items()} for number in calls]
    return {name: np.concatenate([call[name] for call in calls]) for name in calls[0]}


@pytest.mark.heavy
def test_processes_read_the_batches_of_a_thread_from_any_step_to_the_last(pictures, monkeypatch):
    pytest.importorskip("grain")
    monkeypatch.setattr(workers, "MAX_PIECE", 3 * 6)  # three steps: ten are no whole number of pieces
    for step, calls, phase in ((3, (4, 1, 4, 1), {}), (8, (2,), {"subset": 7, "image_size": 4})):
        expected = taken(pictures, 0, step, calls, **phase)
        found = taken(pictures, 2 if step == 3 else 1, step, calls, **phase)
        assert {name: x.dtype for name, x in found.items()} == {name: x.dtype for name, x in expected.items()}
        for name, x in expected.items():
            np.testing.assert_array_equal(found[name], x)
    assert multiprocessing.active_children() == []


ENDLESS = StepOrder(0, 20, None, batches=1, batch=4, columns=np.arange(4), start=0, first_example=0)


@pytest.mark.heavy
def test_a_process_that_is_killed_ends_reading_and_a_broken_image_is_named(pictures, tmp_path, monkeypatch):
    pytest.importorskip("grain")
    monkeypatch.setattr(workers, "MAX_PIECE", 4)
    steps = workers.read_steps(pictures.read, pictures.name, ENDLESS, 0, 10**6, 1)
    next(steps)
    (child,) = multiprocessing.active_children()
    os.kill(child.pid, signal.SIGTERM)  # which is the run's to answer
    for _ in range(20):
        next(steps)
    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(workers.WorkerLost, match=r"a process that reads data has ended .*exit code -9"):
        list(steps)
    assert multiprocessing.active_children() == []
    (tmp_path / pictures.names[19]).write_bytes(b"no")
    with pytest.raises(InputError, match=r"\.png \(not an image"):
        list(workers.read_rows(pictures.read, pictures.name, np.arange, 20, 4, 1))


STARTS_AND_WAITS = """
import multiprocessing, time
import numpy as np
from genjax import data
from genjax.data import workers

if __name__ == "__main__":
    source = data.open_source("shapes_16")
    pieces = workers.read_rows(source.read, source.name, np.arange, 1000, 10, 1)
    next(pieces)
    print(*(child.pid for child in multiprocessing.active_children()), flush=True)
    time.sleep(60)
"""


@pytest.mark.heavy
def test_processes_end_with_the_one_that_started_them(tmp_path):
    pytest.importorskip("grain")
    (tmp_path / "script.py").write_text(STARTS_AND_WAITS)
    with subprocess.Popen([sys.executable, tmp_path / "script.py"], stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        assert is_alive(child)
        parent.kill()
    deadline = time.monotonic() + 300
    while is_alive(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_alive(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(") ")[2][0] != "Z"
    return False


def test_processes_that_cannot_read_are_refused(load, monkeypatch):
    source = load("shapes_16")
    with pytest.raises(InputError, match=r"data\.workers=-1: expected a number of processes, or 0"):
        workers.check(-1, source, streamed=False)
    monkeypatch.setitem(sys.modules, "grain", None)
    workers.check(2, source, streamed=False)
    with pytest.raises(InputError, match=r"data\.workers=2 needs grain .*'genjax-models\[grain\]'"):
        workers.check(2, source, streamed=True)


def test_a_source_of_open_files_is_named_and_one_in_memory_is_copied_up_to_a_limit(tmp_path, load, monkeypatch):
    pytest.importorskip("cloudpickle")
    monkeypatch.setattr(encoded, "MAX_IN_MEMORY", 0)
    x = np.random.default_rng(0).integers(0, 256, (50, 8, 8, 3), np.uint8)
    np.save(tmp_path / "x.npy", x)
    source = load(f"array:{tmp_path / 'x.npy'}")
    dumped = portable.dump(source.read, source.name)
    assert len(dumped) < x.nbytes
    np.testing.assert_array_equal(portable.load(dumped)(np.array([3, 49])), x[[3, 49]])
    monkeypatch.setattr(portable, "MAX_BYTES", 5000)
    held = data.in_memory("held", "train", x, None)
    with pytest.raises(
        InputError, match=r"held is held in memory, .* more than 5,000 bytes of it: leave data\.workers"
    ):
        portable.dump(held.read, "held")
    lock = threading.Lock()
    locked = replace(held, read=lambda indices: lock and x[:1])
    with pytest.raises(InputError, match=r"locked cannot be sent to another process \(.*lock"):
        portable.dump(locked.read, "locked")
