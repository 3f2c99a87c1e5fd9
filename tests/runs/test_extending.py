"""Somebody else's net, loss, penalty, data, metric, task and view: a run with them is a run like any other."""

import json
import os
import shutil
import sys

import numpy as np
import pytest
from helpers import ROOT, run, without_report

from genjax.errors import InputError
from genjax.extensions import find, is_extension

EXAMPLE = ROOT / "experiments" / "extending"
CONFIG = "--config=experiments/extending/config.py:smoke"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of the worked example that was stopped half-way, then resumed."""
    path = tmp_path_factory.mktemp("extending") / "run"
    for steps, resume in ((2, "auto"), (4, "force")):
        flags = CONFIG, f"--workdir={path}", f"--config.steps={steps}", f"--resume={resume}"
        done = run("genjax.train", *flags, before=without_report)
        assert done.code == 0, done.err
    return path


def test_a_run_records_each_extension_with_the_digest_of_its_source(trained):
    import hashlib

    recorded = json.loads((trained / "config.json").read_text())["extensions"]
    assert {name.partition(":")[2] for name in recorded} == {
        *("moons", "SineGenerator", "MaxoutCritic", "pearson", "zero_centered", "energy")
    }
    for name, digest in recorded.items():
        file = ROOT / f"{name.partition(':')[0].replace('.', '/')}.py"
        assert digest == hashlib.sha256(file.read_bytes()).hexdigest(), name


def test_a_run_with_extensions_samples_evaluates_and_is_shown(trained, tmp_path):
    sampled = run("genjax.sample", f"--workdir={trained}", "--seeds=0-9", f"--out={tmp_path}/x.npy")
    assert sampled.code == 0, sampled.err
    assert np.load(tmp_path / "x.npy").shape == (10, 2)
    metrics = "--metrics=frechet,experiments.extending.metric:energy"
    judged = run("genjax.evaluate", f"--workdir={trained}", metrics, "--samples=60", f"--out={tmp_path}/x.jsonl")
    assert judged.code == 0, judged.err
    assert "Energy distance" in judged.out
    view = "--what=experiments.extending.view:latent_plane"
    shown = run("genjax.show", f"--workdir={trained}", view, f"--out={tmp_path}/shown")
    assert shown.code == 0, shown.err
    assert (tmp_path / "shown" / "latent_plane.png").stat().st_size > 1000


def test_the_task_of_the_example_trains(tmp_path):
    done = run("genjax.train", "--config=experiments/extending/moment_matching.py:smoke", f"--workdir={tmp_path}/run")
    assert done.code == 0, done.err


def test_the_energy_distance_is_that_of_two_points():
    """Of x in {0}, y in {3}: 2 * 3 - 0 - 0."""
    from experiments.extending.metric import energy_distance

    assert energy_distance(np.zeros((5, 1)), np.full((7, 1), 3.0)) == 6
    assert energy_distance(np.arange(8.0)[:, None], np.arange(8.0)[:, None]) == 0


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Makes a module of one's own, importable in this process."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(text, name="somebody"):
        (tmp_path / f"{name}.py").write_text(text)
        sys.modules.pop(name, None)
        return name

    return make


def test_a_name_that_does_not_fit_is_refused_with_the_reason(module):
    module("x = 3\n")
    with pytest.raises(InputError, match=r"loss.name: no 'hinj' \(did you mean 'hinge'\?\); choose from 'hinge'"):
        find({"hinge": 1}, "hinj", "loss.name")
    with pytest.raises(InputError, match="the module nobody cannot be imported"):
        find({}, "nobody:x", "loss.name")
    with pytest.raises(InputError, match="the module somebody has no 'y'"):
        find({}, "somebody:y", "loss.name")
    module("raise RuntimeError('two\\nlines')\n", "broken")
    with pytest.raises(InputError, match="RuntimeError: two"):
        find({}, "broken:x", "loss.name")
    assert find({}, "somebody:x", "loss.name") == 3
    assert not is_extension("folder:images", prefixes=("folder",))


def own_path():
    """As PYTHONPATH does, which is read when Python starts; no report is drawn."""
    without_report()
    sys.path.insert(0, os.environ["GENJAX_TEST_PATH"])


def test_a_mistake_in_somebody_elses_net_is_named_before_anything_is_compiled(tmp_path):
    shutil.copytree(EXAMPLE, tmp_path / "mine")
    text = (tmp_path / "mine" / "nets.py").read_text()
    (tmp_path / "mine" / "nets.py").write_text(text.replace('    output: str = "linear"\n', ""))
    mistaken = run(
        "genjax.train",
        CONFIG,
        "--config.generator.net=mine.nets:SineGenerator",
        f"--workdir={tmp_path}/run",
        before=own_path,
        GENJAX_TEST_PATH=str(tmp_path),
    )
    mistaken.assert_refused("generator.net='mine.nets:SineGenerator'", "'output'")


def test_a_run_whose_extension_has_changed_is_not_gone_on_with_unless_forced(tmp_path):
    shutil.copytree(EXAMPLE, tmp_path / "mine")
    given = (CONFIG, "--config.generator.net=mine.nets:SineGenerator", f"--workdir={tmp_path}/run")
    path = {"before": own_path, "GENJAX_TEST_PATH": str(tmp_path)}
    assert run("genjax.train", *given, **path).code == 0
    with (tmp_path / "mine" / "nets.py").open("a") as file:
        file.write("# another line\n")
    refused = run("genjax.train", *given, **path)
    refused.assert_refused("mine.nets:SineGenerator", "--resume=force", lines=4)
    assert run("genjax.train", *given, "--resume=force", **path).code == 0
