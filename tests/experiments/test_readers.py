"""The benchmark of readers on a few small images, and the images per second that training needs at most."""

import contextlib
import sys

import numpy as np
import pytest
from helpers import config_of, run

from experiments.benchmarks import readers
from experiments.benchmarks.readers import Turn
from experiments.scaling.chips import CHIPS, parsed


def test_images_are_the_same_however_they_are_stored_and_are_timed(tmp_path):
    for package in ("array_record", "pyarrow", "tensorflow_datasets"):
        pytest.importorskip(package)
    made = readers.stored(tmp_path, 64, 6)
    expected = made.sources["folder"].read(np.arange(6))
    for name in ("parquet", "packed"):
        np.testing.assert_array_equal(made.sources[name].read(np.arange(6)), expected)
    found = made.sources["tfds"].read(np.arange(6))  # which has them in an order of its own
    assert sorted(x.tobytes() for x in found) == sorted(x.tobytes() for x in expected)
    assert 0.3 < made.png_share < 1
    with readers.ours(made.sources["packed"], 2, 0) as batches:
        assert next(batches)["x"].shape == (1, 1, 2, 64, 64, 3)
        timed = readers.turn(batches, 2, 0)
    assert 0 <= timed.own <= 1
    assert timed.wall > 0
    x = next(readers._tfds(made.tfds, 2))
    assert (x.shape, x.dtype) == ((2, 64, 64, 3), np.uint8)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_cpu_time_counts_the_processes_that_were_started():
    import subprocess

    before = readers.cpu_seconds()
    with subprocess.Popen([sys.executable, "-c", "x = 1\nwhile True: x += 1"]) as busy:
        with contextlib.suppress(subprocess.TimeoutExpired):
            busy.wait(1)
        assert readers.cpu_seconds() - before > 0.1
        busy.kill()


def test_the_table_has_medians_and_the_ratios_of_turns():
    first = [Turn(cpu, cpu, cpu / 2) for cpu in (0.01, 0.02, 0.04)]
    second = [Turn(cpu, 0.001, cpu) for cpu in (0.005, 0.002, 0.008)]
    text = readers.as_text(64, 0.5, {"slow": first, "fast": second})
    slow, fast = text.splitlines()[2:4]
    assert slow.split() == ["slow", "50", "1.00", "(1.00", "-", "1.00)", "50", "100"]
    assert fast.split() == ["fast", "200", "4.00", "(2.00", "-", "10.00)", "1,000", "200"]


def test_the_need_is_the_batch_over_the_least_time_of_a_step():
    """A GAN's batch of 8 is bound by its state, which is read and written once, whatever the number of chips."""
    assert parsed("v5e:2x4") == ("v5e", CHIPS["v5e"], 8)
    config = config_of("gan")
    assert config.batch == 8
    path = "--config=configs/gan.py:smoke"
    done = run("experiments.scaling.reading", path, "--for=v5e:2x4,h100:8", "--rates=a:1000,b:2e6")
    assert (done.code, done.compiled) == (0, 0), done.err
    v5e, h100 = (line.split() for line in done.out.splitlines()[2:4])
    needs = [float(cells[3].replace(",", "")) for cells in (v5e, h100)]
    assert needs[1] / needs[0] == pytest.approx(CHIPS["h100"].bandwidth / CHIPS["v5e"].bandwidth, rel=1e-3)
    assert float(v5e[-2]) == pytest.approx(needs[0] / 1000, abs=0.06)
    assert float(v5e[-1]) == pytest.approx(needs[0] / 2e6, abs=0.06)


def test_a_rate_that_is_none_is_refused():
    done = run("experiments.scaling.reading", "--config=configs/gan.py:smoke", "--for=h100:8", "--rates=folder")
    assert (done.code, "--rates: 'folder' is no reader with a number" in done.err) == (2, True)
