"""The session on an accelerator: its order, its budget, what stops it, what its checks refuse, and the command."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from helpers import ROOT, assert_refused_in_a_line

from experiments.benchmarks.accelerator import agreement, page, process, profile, program, resume
from experiments.benchmarks.accelerator.__main__ import output
from experiments.benchmarks.accelerator.anchors import STYLEGAN2
from experiments.benchmarks.accelerator.parts import PARTS, Part, chosen, why_not
from experiments.benchmarks.accelerator.session import Session
from experiments.scaling.chips import of_kind
from genjax.api import load_config
from genjax.errors import InputError

MADE_UP = """
import os, time
from genjax.errors import InputError

def device(context):
    yield {"platform": "gpu", "kind": "made up <b>"}

def hangs(context, seconds=600):
    yield {"check": "first", "measured": "1", "tolerance": 0.0, "passed": True, "pid": os.getpid()}
    time.sleep(seconds)

def absent(context):
    raise InputError("no such library")
    yield

def crashes(context):
    yield {"check": "before", "measured": "1", "tolerance": 0.0, "passed": True}
    os.abort()

def out_of_memory(context):
    raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory\\nmore")
    yield
"""

ALONE = """
if __name__ == "__main__":  # the processes of parts, which run this again, need none of it
    import sys
    from pathlib import Path
    from experiments.benchmarks.accelerator import process
    from experiments.benchmarks.accelerator.parts import Part
    from experiments.benchmarks.accelerator.session import Session

    process.PRELOADED = ()
    tables = {"device": "facts", "hangs": "checks", "absent": "checks"}
    parts = [Part(name, name, table, 100.0, (f"made_up:{name}",)) for name, table in tables.items()]
    sys.exit(Session(Path(sys.argv[1]), parts, 1000.0, False).run())
"""


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """A function that makes parts of a module with bad behavior."""
    (tmp_path / "made_up.py").write_text(MADE_UP)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(process, "PRELOADED", ())

    def part(name, seconds=5.0):
        return Part(name, f"says {name}", "facts" if name == "device" else "checks", seconds, (f"made_up:{name}",))

    return part


def results_of(folder):
    return json.loads((folder / "results.json").read_text())["parts"]


def test_parts_that_fail_are_recorded_with_their_reasons_and_others_go_on(made_up, tmp_path):
    names = ("device", "crashes", "out_of_memory", "absent")
    session = Session(tmp_path / "out", [*map(made_up, names), made_up("hangs", 0.3)], 60.0, False)
    (tmp_path / "out").mkdir()
    assert session.run() == 1
    ended = results_of(tmp_path / "out")
    assert {name: part["status"] for name, part in ended.items()} == {
        "device": "done",
        "crashes": "failed",
        "out_of_memory": "failed",
        "absent": "left out",
        "hangs": "failed",
    }
    assert "code -6" in ended["crashes"]["reason"]
    assert ended["out_of_memory"]["reason"] == "RuntimeError: RESOURCE_EXHAUSTED: Out of memory"
    assert ended["absent"]["reason"] == "no such library"
    assert ended["hangs"]["reason"] == "stopped after 1 s"
    assert [len(ended[name]["rows"]) for name in ("crashes", "hangs")] == [1, 1]
    text = (tmp_path / "out" / "index.html").read_text()
    assert "made up &lt;b&gt;" in text
    assert all(ended[name]["reason"] in text for name in ("out_of_memory", "absent", "hangs"))
    with pytest.raises(ProcessLookupError):
        os.kill(ended["hangs"]["rows"][0]["pid"], 0)


def test_a_part_that_does_not_fit_is_left_out_and_a_shorter_one_is_not(made_up, tmp_path):
    long, short = made_up("hangs", 100.0), made_up("absent", 1.0)
    assert Session(tmp_path, [made_up("device"), long, short], 50.0, False).run() == 0
    ended = results_of(tmp_path)
    assert ended["hangs"]["status"] == "left out"
    assert ended["hangs"]["reason"].startswith("it takes about 100 s, and ")
    assert ended["absent"]["reason"] == "no such library"


def test_reasons_to_leave_a_part_out():
    part = Part("x", "", "checks", 10.0, (), needs_accelerator=True)
    assert why_not(part, 10.0, "gpu") == ""
    assert why_not(part, 9.0, "gpu") == "it takes about 10 s, and 9 s of the budget were left"
    assert why_not(part, 99.0, "cpu") == "this machine has no accelerator"
    assert why_not(part.tiny, 99.0, "cpu") == ""


@pytest.mark.parametrize(
    ("number", "statuses"), [("SIGTERM", ("stopped", "stopped")), ("SIGKILL", ("running", "waiting"))]
)
def test_what_stops_the_session_leaves_all_rows(number, statuses, tmp_path):
    (tmp_path / "made_up.py").write_text(MADE_UP)
    (tmp_path / "alone.py").write_text(ALONE)
    (tmp_path / "out").mkdir()
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{tmp_path}"}
    session = subprocess.Popen([sys.executable, tmp_path / "alone.py", tmp_path / "out"], env=environment)
    deadline = time.monotonic() + 600
    page = tmp_path / "out" / "index.html"  # the last file that is written after a row
    while not page.exists() or "<td>1</td>" not in page.read_text():
        assert time.monotonic() < deadline
        assert session.poll() is None
        time.sleep(0.05)
    session.send_signal(getattr(signal, number))
    assert session.wait(300) == (143 if number == "SIGTERM" else -9)
    ended = results_of(tmp_path / "out")
    assert (ended["hangs"]["status"], ended["absent"]["status"]) == statuses
    assert ended["hangs"]["rows"][0]["check"] == "first"
    assert "first" in page.read_text()
    assert not list((tmp_path / "out").glob(".*.tmp"))
    child = ended["hangs"]["rows"][0]["pid"]
    while os.path.exists(f"/proc/{child}"):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_correctness_comes_first_and_all_names_differ():
    names = [part.name for part in PARTS]
    assert names[:4] == ["device", "resume", "cpu", "bfloat16"]
    assert len(set(names)) == len(names)
    assert {part.table for part in PARTS} == set(page.SECTIONS)
    assert [part.name for part in chosen(["features", "cpu"], False)] == ["device", "cpu", "features"]
    with pytest.raises(InputError, match="did you mean 'resume'"):
        chosen(["resme"], False)


@pytest.mark.parametrize(("config", "anchor"), STYLEGAN2.items())
def test_the_settings_beside_nvidias_are_its_own(config, anchor):
    c = load_config(config)
    assert (c.batch, c.generator.layers, c.augment) == (anchor.batch, 2, "ada")
    points = [part.options for part in PARTS if part.options.get("config") == config and "points" in part.options]
    assert {point["points"] for point in points} == {((0, name),) for name in program.SETTINGS}


def test_chips_by_the_names_that_jax_gives_them():
    assert of_kind("NVIDIA H200").rate("bfloat16") == 989e12
    assert of_kind("NVIDIA A100-SXM4-80GB").rate("float32") == 19.5e12
    assert of_kind("TPU v5 lite").rate("float32") == 197e12 / 6
    assert of_kind("TPU v5p") is not of_kind("TPU v5e")
    assert of_kind("NVIDIA H100 PCIe") is None
    assert of_kind("cpu") is None


def test_times_are_medians_over_calls_of_a_multiple_of_steps(monkeypatch):
    clock, counts = [0.0], []
    monkeypatch.setattr(program.time, "perf_counter", lambda: clock[0])

    def run(count):
        counts.append(count)
        clock[0] += count * (
            0.25 if len(counts) == 1 else 0.01 if len(counts) != 4 else 0.5
        )  # compiles; once disturbed

    times = program.timed(run, 3, 1.0, 1000, multiple=16)
    assert counts == [16, 16, 96, 96, 96]  # about a second: 100 steps of 10 ms
    assert times == {
        "step_ms": pytest.approx(10),
        "step_ms_range": [pytest.approx(10), pytest.approx(500)],
        "steps_per_call": 96,
    }


@pytest.mark.parametrize(("gap", "passed"), [(0.9e-4, True), (1.1e-4, False), (float("nan"), False)])
def test_a_device_that_is_off_by_more_than_the_tolerance_does_not_pass(gap, passed, monkeypatch):
    def results(config, changes, seeds, steps, device, platform):
        off = 0.0 if platform == "cpu" else gap
        return [({"loss": np.array([3.0, 4.0]) * (1 + off)}, [np.array([1.0])])] * seeds

    monkeypatch.setattr(agreement, "_results", results)
    (row,) = agreement.with_cpu(None, ["gan:smoke"], 3, 2)
    assert row["passed"] is passed


@pytest.mark.parametrize(("shift", "passed"), [(0.0, True), (3.9, True), (4.1, False), (float("nan"), False)])
def test_bfloat16_may_be_four_standard_errors_away(shift, passed, monkeypatch):
    spread = np.array([-1.0, 1.0, -1.0, 1.0])  # deviation sqrt(4/3); error of a difference sqrt(2 * 4/3 / 4)
    error = np.sqrt(2 * 4 / 3 / 4)

    def runs(config, changes, seeds, steps, samples):
        return [{"loss": float(x)} for x in spread + (shift * error if changes["dtype"] == "bfloat16" else 0)]

    monkeypatch.setattr(agreement, "_runs", runs)
    (row,) = agreement.of_bfloat16(None, "gan:smoke", 4, 2, 2)
    assert row["passed"] is passed
    assert row["distance"] == pytest.approx(abs(shift), nan_ok=True)


@pytest.mark.parametrize(("must", "passed"), [(True, False), (False, None)])
def test_a_resumed_run_that_differs_in_a_bit_does_not_pass(must, passed):
    arrays = {"step": np.int32(4), "kernel": np.array([3.0, 4.0], np.float32)}
    other = arrays | {"kernel": np.nextafter(arrays["kernel"], np.float32([3, 9]))}
    assert resume.compared("", arrays, dict(arrays), True)["passed"] is True
    row = resume.compared("", other, arrays, must)
    assert (row["passed"], row["different"], row["measured"]) == (passed, ["kernel"], "1 of 2 arrays differ")
    assert row["distance"] == pytest.approx(2**-21 / 5)  # a unit in the last place of 4


TRACE = """
planes { name: "/device:GPU:0"
  lines { name: "Stream #1(Compute)" events { metadata_id: 1 duration_ps: 6000000000 }
          events { metadata_id: 2 duration_ps: 1000000000 } events { metadata_id: 1 duration_ps: 3000000000 } }
  lines { name: "Source code" events { metadata_id: 2 duration_ps: 9000000000 } }
  event_metadata { key: 1 value { id: 1 name: "convolve" } }
  event_metadata { key: 2 value { id: 2 name: "add" } } }
planes { name: "/host:CPU" lines { name: "python" events { metadata_id: 1 duration_ps: 9000000000 } }
  event_metadata { key: 1 value { id: 1 name: "run" } } }
"""


def test_kernels_of_a_trace_by_their_time():
    from jax.profiler import ProfileData

    rows = list(profile.kernels(ProfileData.text_proto_to_serialized_xspace(TRACE), 2))
    assert [(row["kernel"], row["ms_per_step"], row["times_per_step"]) for row in rows] == [
        ("convolve", 4.5, 1.0),
        ("add", 0.5, 0.5),
    ]
    assert rows[0]["share"] == pytest.approx(0.9)
    with pytest.raises(InputError, match="only the host's calls"):
        list(profile.kernels(ProfileData.text_proto_to_serialized_xspace(TRACE.replace("/device:GPU:0", "/host:x")), 2))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "--out is missing"),
        (["--out=x", "--parts=dcgam"], "did you mean 'dcgan'"),
        (["--out=x", "--budget=2"], "expected 15 seconds or more"),
        (["--out=/dev/null/x"], "expected a folder"),
    ],
)
def test_bad_flags_are_refused_in_a_line(arguments, text):
    assert_refused_in_a_line("experiments.benchmarks.accelerator", arguments, text)


@pytest.mark.heavy
@pytest.mark.parametrize(
    "parts", ["device,resume,dcgan", pytest.param("", marks=pytest.mark.slow)]
)  # slow: all of them
def test_the_command_runs_without_what_bare_images_of_jax_lack(parts, tmp_path):
    blocked = ("tensorflow_datasets", "array_record", "tensorboardX", "matplotlib")
    for name in blocked:
        (tmp_path / f"{name}.py").write_text(f"raise ImportError('{name} is absent')")
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    command = [sys.executable, "-m", "experiments.benchmarks.accelerator", "--smoke", f"--out={tmp_path / 'out'}"]
    command += [f"--parts={parts}"] if parts else []
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=900)
    log = (tmp_path / "out" / "log.txt").read_text()
    assert done.returncode == 0, done.stderr + log
    assert done.stdout.strip() == str(tmp_path / "out" / "index.html")
    assert not [name for name in blocked if f"{name} is absent" in log]
    assert json.loads((tmp_path / "out" / "results.json").read_text())["command"].split()[1:] == command[1:]
    ended = results_of(tmp_path / "out")
    assert {name for name, part in ended.items() if part["status"] != "done"} <= {"dcgan_torch", "profile"}
    assert "all 25 arrays equal" in ended["resume"]["rows"][0]["measured"]
    checks = ("resume",) if parts else ("resume", "cpu", "bfloat16")
    assert all(row["passed"] for name in checks for row in ended[name]["rows"])
    for row in ended["dcgan"]["rows"]:
        assert row["seconds_per_kimg"] * row["images_per_second"] == pytest.approx(1000)
        assert row["program_bytes"]["argument"] > 0
    assert [row["batch"] for row in ended["dcgan"]["rows"]] == [2, 4]
    assert parts or list((tmp_path / "out" / "profile").glob("*.xplane.pb"))
    text = (tmp_path / "out" / "index.html").read_text()
    assert "http" not in text.replace("http-equiv", "")
    assert "This device is a CPU" in text


def test_a_folder_with_results_is_not_written_to(tmp_path):
    assert output(str(tmp_path / "new")) == tmp_path / "new"
    (tmp_path / "new" / "results.json").touch()
    with pytest.raises(InputError, match="earlier session"):
        output(str(tmp_path / "new"))
