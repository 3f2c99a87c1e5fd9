"""A long run does not grow: its memory, its open files, and the times of previews, checkpoints and reports.

pytest -m slow tests/runs/test_soak.py -s
"""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from helpers import config_of

from genjax.engine.checkpoint import Checkpoints
from genjax.run import recorder
from genjax.run.training import train
from genjax.text import table

STEPS = 20_000
EVERY = {"log_every": 50, "sample_every": 40, "save_every": 400}
CLOCKED = {"preview": recorder.Recorder, "save": Checkpoints, "report": recorder.Recorder}
MEMORY, FILES = "memory, MiB", "open files"


def resident_mib() -> float:
    """Resident memory of this process, in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_a_long_run_needs_no_more_memory_or_time_at_its_end(tmp_path, monkeypatch):
    measured: dict[str, list[float]] = {MEMORY: [], FILES: []}

    def clocked(name, function):
        times = measured.setdefault(f"{name}, ms", [])

        def call(self, *args):
            start = time.perf_counter()
            function(self, *args)
            times.append(1000 * (time.perf_counter() - start))
            if name == "save":
                measured[MEMORY].append(resident_mib())
                measured[FILES].append(len(os.listdir("/proc/self/fd")))

        return call

    for name, owner in CLOCKED.items():
        monkeypatch.setattr(owner, name, clocked(name, getattr(owner, name)))
    monkeypatch.setattr(recorder, "REPORT_SECONDS", 0.0)  # at every checkpoint
    assert train(config_of("gan", steps=STEPS, keep=3, **EVERY), tmp_path) == 0
    assert len(measured["save, ms"]) == STEPS // EVERY["save_every"]
    quarters = {name: [np.median(part) for part in np.array_split(values, 4)] for name, values in measured.items()}
    rows = [(name, len(measured[name]), *map(float, medians)) for name, medians in quarters.items()]
    print("\n" + table(rows, ("median of", "values", "first quarter", "second", "third", "last")))
    assert quarters[MEMORY][3] < 1.1 * quarters[MEMORY][0]
    assert quarters[FILES][3] <= quarters[FILES][0]
    for name in CLOCKED:
        first, *_, last = quarters[f"{name}, ms"]
        assert last < 1.5 * first, name
