"""Sweeps: runs have names that last, mistakes are refused first, failures stop nobody, and the numbers are NumPy's."""

import csv
import dataclasses
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import ROOT, config_of, run
from ml_collections import ConfigDict
from scipy import stats

from experiments import run as sweep
from experiments.sweeps import figure, launch, on_local, outcome, process, results, worker
from experiments.sweeps.experiment import load
from experiments.sweeps.on_local import OnLocal
from experiments.sweeps.plan import Run, identity, plan, programs
from genjax import data
from genjax.errors import InputError
from genjax.evaluation import nets
from genjax.run.records import read_evaluations

PART = {"fashion_mnist": "fashion_mnist_10k"}
FILE = '''"""A title. More."""

BASE = "configs/demo.py:smoke"
OVERRIDES = {"data.split": "train[:40]"}
SEEDS = 2
REPORT = {"critic/loss": ("loss", "lower"), "Recall (x)": "recall"}
X = ("ema.half_life", "half-life, images", "log")


def variants():
    return {f"{n} images": {"ema.half_life": n, "critic": {"net": "mlp", "widths": [5]}}
            for n in (0, 500)}
'''


@pytest.fixture
def wrote(tmp_path):
    """A function that writes FILE, some of it replaced, and tells where."""

    def write(*pairs):
        text = FILE
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "sweep.py").write_text(text)
        return str(tmp_path / "sweep.py")

    return write


def a_run(folder, variant="a", seed=0, **overrides):
    config = config_of("demo", data__split="train[:40]", **overrides)
    return Run(variant, seed, None, config, config.steps, folder / f"{variant}-{seed}")


def finish(one, evaluations=(), **row):
    """A folder as of a finished run."""
    (one.path / "checkpoints" / f"{one.steps:08d}").mkdir(parents=True)
    (one.path / "config.json").write_text(json.dumps({"config": one.config.to_dict()}))
    rows = [{"step": one.steps, "seconds": 2.5, **row}, *evaluations]
    (one.path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def evaluation(step, count, **values):
    protocol = {"samples": {"count": count}}
    better = dict.fromkeys(values, "higher")
    return {"step": step, "evaluation": "m", "of": None, "values": values, "better": better, "protocol": protocol}


# -- names


def test_a_run_is_called_the_same_whatever_the_process_and_the_order():
    config = config_of("demo", ema__half_life=500, critic__channels=(3, 5), seed=7)
    keys = ["ema.half_life", "critic.channels"]
    mine = identity("configs/demo.py", config, keys)
    assert mine == identity("configs/demo.py", config, keys[::-1])
    code = (
        "from helpers import config_of; from experiments.sweeps.plan import identity;"
        "c = config_of('demo', critic__channels=[3, 5], ema__half_life=500.0, seed=7);"
        f"print(identity('configs/demo.py', c, {keys}))"
    )
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    other = {**os.environ, "PYTHONHASHSEED": "5", "PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=other, cwd=ROOT)
    assert done.stdout.strip() == mine, done.stderr
    # As of old, so that finished runs are found again.
    text = '{"base": "configs/demo.py", "overrides": {"critic.channels": [3, 5], "ema.half_life": 500.0}, "seed": 7}'
    assert mine == hashlib.sha256(text.encode()).hexdigest()[:10]


def test_what_makes_a_run_another_gives_it_another_name():
    config, keys = config_of("demo", ema__half_life=500.0), ["ema.half_life"]
    names = {
        identity("configs/demo.py", config, keys),
        identity("configs/demo.py:smoke", config, keys),
        identity("configs/demo.py", config, []),
        identity("configs/demo.py", config_of("demo", ema__half_life=500.0, seed=1), keys),
        identity("configs/demo.py", config_of("demo", ema__half_life=501.0), keys),
    }
    assert len(names) == 5


def test_runs_are_in_the_order_of_seeds_and_know_what_they_are(wrote, tmp_path):
    runs = plan(load(wrote()), tmp_path)
    assert [(one.variant, one.seed, one.x) for one in runs] == [
        ("0 images", 0, 0.0),
        ("500 images", 0, 500.0),
        ("0 images", 1, 0.0),
        ("500 images", 1, 500.0),
    ]
    assert [one.config.seed for one in runs] == [0, 0, 1, 1]
    assert runs[1].config.data.split == "train[:40]"
    assert runs[1].config.critic.to_dict() == {"net": "mlp", "widths": [5]}  # the whole part
    assert runs[1].path.name.startswith("500-images-seed-0-")


def test_a_run_keeps_its_folder_under_another_title(wrote, tmp_path):
    old = plan(load(wrote()), tmp_path)[1].path
    old.mkdir()
    assert plan(load(wrote(('f"{n} images"', 'f"half-life {n}"'))), tmp_path)[1].path == old


def test_seeds_may_be_listed_or_overridden(wrote):
    path = wrote(("SEEDS = 2", "SEEDS = [7, 3]"))
    assert load(path).seeds == (7, 3)
    assert load(path, 3).seeds == (0, 1, 2)


# -- mistakes

MISTAKES = {
    "a misspelt key in the last variant": (
        ("(0, 500)}", '(0, 5)} | {"c": {"loss.nam": "hinge"}}'),
        ["'c'", "loss.nam"],
    ),
    "a part that there is none of": (
        ("(0, 500)}", '(0, 5)} | {"c": {"los.name": "x"}}'),
        ["'c'", "'los'", "loss.name"],
    ),
    "a value of another type": (("(0, 500)}", '(0, 5)} | {"c": {"batch": "many"}}'), ["'c'", "batch='many'", "int"]),
    "a value that there is none of": (("(0, 500)}", '(0, 5)} | {"c": {"critic.net": "dcgam"}}'), ["'c'", "dcgan"]),
    "a batch larger than the data": (("(0, 500)}", '(0, 5)} | {"c": {"batch": 64}}'), ["'c'", "40 examples"]),
    "two variants that are one": (
        ("(0, 500)}", '(0, 500)} | {"c": {"critic": {"widths": (5,), "net": "mlp"}, "ema.half_life": 500.0}}'),
        ["'500 images' and 'c'", "same config"],
    ),
    "two variants at one x": (
        ("(0, 500)}", '(0, 500)} | {"c": {"ema.half_life": 500}}'),
        ["'500 images' and 'c'", "X"],
    ),
    "an x that is no key": (('"ema.half_life", "h', '"ema.half_lif", "h'), ["'ema.half_lif'", "did you mean"]),
    "an x that is no number": (('"ema.half_life", "h', '"loss.name", "h'), ["'loss.name'", "no number"]),
    "a seed among the overrides": (("(0, 500)}", '(0, 5)} | {"c": {"seed": 1}}'), ["'c'", "SEEDS"]),
    "no seeds": (("SEEDS = 2", "SEEDS = 0"), ["SEEDS=0", "at least 1"]),
    "a seed twice": (("SEEDS = 2", "SEEDS = [1, 1]"), ["SEEDS=[1, 1]", "different"]),
    "a misspelt name": (("SEEDS = 2", "SEED = 2"), ["no SEEDS", "is it SEED?"]),
    "a misspelt name that may be absent": (("OVERRIDES", "OVERRIDE"), ["OVERRIDE", "did you mean OVERRIDES"]),
    "no direction": (('"lower"', '"small"'), ["'critic/loss'", '"lower" or "higher"']),
    "a title twice": (('"recall"', '"loss"'), ["two numbers", "'loss'"]),
    "a metric that there is none of": (("SEEDS = 2", 'SEEDS = 2\nEVALUATE = "frechett"'), ["did you mean 'frechet'"]),
    "no such base": (("configs/demo.py", "configs/dem.py"), ["configs/dem.py", "did you mean 'configs/demo.py'"]),
    "an unknown need": (("SEEDS = 2", 'SEEDS = 2\nNEEDS = {"core": 2}'), ["'core'", "did you mean 'cores'"]),
    "no cores": (("SEEDS = 2", 'SEEDS = 2\nNEEDS = {"cores": 0}'), ["cores=0", "at least 1"]),
    "hours in text": (("SEEDS = 2", 'SEEDS = 2\nNEEDS = {"minutes": "2h"}'), ["minutes='2h'", "integer"]),
    "no memory": (("SEEDS = 2", 'SEEDS = 2\nNEEDS = {"memory_gib": 0}'), ["memory_gib=0", "positive"]),
    "a TPU of several machines": (("SEEDS = 2", 'SEEDS = 2\nNEEDS = {"tpu": "v5e-16"}'), ["'v5e-16'", "v5e-8"]),
    "two kinds of devices": (("SEEDS = 2", 'SEEDS = 2\nNEEDS = {"tpu": "v6e-1", "gpus": 1}'), ["both gpus and tpu"]),
    "Slurm's parameters as text": (("SEEDS = 2", 'SEEDS = 2\nSLURM = "gpu"'), ["SLURM='gpu'", "partition"]),
    "a file that fails": (("return {f", "return {g}, {f"), ["variants() fails", "NameError", "(line 11)"]),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_refused_by_name(name, wrote, tmp_path):
    pair, texts = MISTAKES[name]
    with pytest.raises(InputError) as refused:
        plan(load(wrote(pair)), tmp_path)
    for text in texts:
        assert text in str(refused.value)


def test_a_mistake_in_the_last_variant_is_told_before_anything_is_compiled(wrote, tmp_path):
    path = wrote(("(0, 500)}", '(0, 5)} | {"c": {"loss.nam": "hinge"}}'))
    run("experiments.run", path, f"--workdir={tmp_path / 'x'}").assert_refused("'c'", "loss.nam")
    assert not (tmp_path / "x").exists()


def test_a_folder_of_another_config_is_refused(wrote, tmp_path):
    one = plan(load(wrote()), tmp_path)[0]
    finish(Run(one.variant, one.seed, one.x, config_of("demo"), one.steps, one.path))
    with pytest.raises(InputError, match=r"data.split: train -> train\[:40\]"):
        plan(load(wrote()), tmp_path)


def test_a_run_of_before_a_key_was_there_is_the_same_run(wrote, tmp_path):
    one = plan(load(wrote()), tmp_path)[0]
    config = ConfigDict(one.config)
    with config.unlocked():
        del config["replay"], config["loss"]["drift"]
    finish(dataclasses.replace(one, config=config))
    assert plan(load(wrote()), tmp_path)[0].path == one.path


def test_every_experiment_can_be_planned(tmp_path, monkeypatch):
    """The classifier that some are judged by is a run that a user has made: here a stand-in of ten classes. The whole
    Fashion-MNIST, which not every machine has, is here its first 10,000 images.
    """
    whole = data.load
    monkeypatch.setattr(data, "load", lambda c: whole(ConfigDict(c.to_dict() | {"name": PART.get(c.name, c.name)})))
    stand_in = dataclasses.replace(nets.COORDINATES, classes=tuple("0123456789"))
    monkeypatch.setattr(nets, "of_run", lambda path, shape: stand_in)
    files = sorted((ROOT / "experiments" / "ablations").glob("[!_]*.py"))
    assert files
    for file in files:
        runs = plan(load(str(file)), tmp_path)
        assert len({one.path for one in runs}) == len(runs) > 1


def test_the_example_of_the_documentation_can_be_planned(tmp_path):
    text = (ROOT / "docs" / "experiments.md").read_text()
    (tmp_path / "example.py").write_text(text.split("```python\n")[1].split("```")[0])
    runs = plan(load(str(tmp_path / "example.py")), tmp_path)
    assert len(runs) == 9
    assert {one.config.eval.every for one in runs} == {one.steps for one in runs}


# -- how far a run is, and what it came to


def test_a_run_is_done_when_it_is_trained_and_judged(tmp_path):
    one = a_run(tmp_path, eval__every=4)
    assert outcome.state(one) == outcome.TO_DO
    finish(one)
    assert outcome.state(one) == outcome.BROKEN
    with open(one.path / "metrics.jsonl", "a") as file:
        file.write(json.dumps(evaluation(2, 64, A=1.0)) + "\n")
    assert outcome.state(one) == outcome.BROKEN  # judged on the way, but not at the end
    with open(one.path / "metrics.jsonl", "a") as file:
        file.write(json.dumps(evaluation(4, 64, A=1.0)) + "\n")
    assert outcome.state(one) == outcome.DONE


def test_numbers_are_the_runs_own_of_its_last_step(tmp_path):
    one = a_run(tmp_path)
    later = [evaluation(2, 64, A=1.0), evaluation(4, 64, A=2.0), evaluation(4, 9999, A=3.0)]
    finish(one, later, loss=0.5, warnings=["w"])
    found = outcome.numbers(one)
    assert found["A"] == (2.0, {"samples": {"count": 64}}, "higher")
    assert found["loss"] == (0.5, None, "lower")
    assert found["seconds"].better == "lower"
    assert set(found) == {"A", "loss", "seconds"}


def test_what_was_trained_but_not_judged_is_judged(tmp_path):
    one = a_run(tmp_path, eval__every=4, eval__samples=16, eval__metrics="swd", eval__budget=1e9)
    one.path.mkdir()
    (one.path / process.FILE).write_text(json.dumps({"config": one.config.to_dict()}))
    assert worker.work(one.path) == 0
    assert outcome.state(one) == outcome.DONE
    file = one.path / "metrics.jsonl"
    (row,) = read_evaluations(file)
    file.write_text("".join(line + "\n" for line in file.read_text().splitlines() if "evaluation" not in line))
    assert outcome.state(one) == outcome.BROKEN
    assert worker.work(one.path) == 0
    (again,) = read_evaluations(file)
    assert again["values"] == row["values"]
    assert again["protocol"] == row["protocol"]


# -- running


class Fake:
    """A child that lives for so many looks, then ends with a code; asked to stop, with that of a saved run."""

    def __init__(self, code=0, looks=1):
        self.code, self.looks, self.heard = code, looks, []

    def poll(self):
        self.looks -= 1
        return self.code if self.looks < 0 else None

    def stop(self, number):
        self.heard.append(number)
        self.code, self.looks = 128 + number, 1

    def reason(self, code):
        return f"reason {code}"


def test_failures_stop_nobody_and_cores_are_handed_on(tmp_path, monkeypatch):
    monkeypatch.setattr(launch, "POLL", 0.001)
    todo = [a_run(tmp_path, name) for name in "abcd"]
    children = dict(zip("abcd", [Fake(1, 1), Fake(0, 9), Fake(0, 3), Fake(0, 1)], strict=True))
    began, lines = [], []

    def start(one, cores, jobs):
        began.append((one.variant, cores))
        return children[one.variant]

    finished = {"b": None, "c": None, "d": "it lacks a number"}
    ended = launch.execute(todo, OnLocal([[0], [1]], start), lambda one: finished[one.variant], lines.append)
    assert ended == ({"a, seed 0": "reason 1", "d, seed 0": "it lacks a number"}, 0)
    assert began == [("a", [0]), ("b", [1]), ("c", [0]), ("d", [0])]  # b is slow
    assert [line.split()[:2] for line in lines] == [
        ["started", "1/4"],
        ["started", "2/4"],
        ["failed", "1/4"],
        ["started", "3/4"],
        ["done", "3/4"],
        ["started", "4/4"],
        ["failed", "4/4"],
        ["done", "2/4"],
    ]


def test_a_signal_stops_all_softly_and_starts_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr(launch, "POLL", 0.001)
    children, lines = [], []

    def start(*_):
        children.append(Fake(0, 10**9))
        if len(children) == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return children[-1]

    todo = [a_run(tmp_path, name) for name in "abc"]
    ended = launch.execute(todo, OnLocal([[0], [1]], start), lambda one: None, lines.append)
    assert ended == ({}, signal.SIGINT)
    assert [child.heard for child in children] == [[signal.SIGTERM]] * 2
    assert [line.split()[0] for line in lines][-2:] == ["stopped", "stopped"]


def test_a_fault_of_the_sweep_leaves_no_child_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(launch, "POLL", 0.001)
    children = [Fake(0, 1), Fake(0, 10**9)]
    waiting = iter(children)

    def full(_):
        raise OSError("the disk is full")

    todo = [a_run(tmp_path, name) for name in "ab"]
    with pytest.raises(OSError, match="full"):
        launch.execute(todo, OnLocal([[0], [1]], lambda *_: next(waiting)), full, lambda line: None)
    assert children[1].heard == [signal.SIGTERM]
    assert children[1].looks < 0  # it was waited for


def test_shares_of_cores_are_disjoint_and_equal(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {2, 3, 5, 7, 11}, raising=False)
    assert on_local.shares(1) == [[2, 3, 5, 7, 11]]
    assert on_local.shares(2) == [[2, 3], [5, 7]]
    with pytest.raises(InputError, match="--jobs=6: expected 1 to 5"):
        on_local.shares(6)


@pytest.mark.slow
def test_a_sweep_of_real_children(wrote, tmp_path):
    path = wrote(
        ("(0, 500)}", '(0,)} | {"wild": {"optimizer.critic.learning_rate": 1e30}}'),
        ("SEEDS = 2", "SEEDS = 1"),
        (', "Recall (x)": "recall"', ""),
        ('X = ("ema.half_life", "half-life, images", "log")', ""),
    )
    folder = tmp_path / "sweep"
    first = run("experiments.run", path, f"--workdir={folder}")
    assert first.code == 1, first.err
    assert first.compiled == 0  # by this process
    assert first.err.splitlines()[-1].startswith("  wild, seed 0: ")
    assert "became" in first.err.splitlines()[-1]  # the run's own words: a loss became nan
    listed = run("experiments.run", path, f"--workdir={folder}", "--dry_run").out.splitlines()[2:]
    assert ["done" in listed[0], "broken" in listed[1]] == [True, True]
    (row,) = csv.DictReader(io.StringIO((folder / "results.csv").read_text()))
    (kept,) = folder.glob("0-images-*")
    last = [json.loads(line) for line in (kept / "metrics.jsonl").read_text().splitlines()][-1]
    assert float(row.pop("value")) == last["critic/loss"]
    assert float(row.pop("seconds")) == last["seconds"]
    assert row == {"variant": "0 images", "seed": "0", "metric": "loss", "x": "", "run": kept.name}
    before = (kept / "metrics.jsonl").stat().st_mtime_ns
    again = run("experiments.run", path, f"--workdir={folder}", "--only=IMAGES")
    assert again.code == 0, again.err
    assert (kept / "metrics.jsonl").stat().st_mtime_ns == before
    assert "runs: 1 done, 0 to do" in again.err
    assert again.out == (folder / "results.md").read_text()


def test_seeds_that_train_together_are_one_program_and_runs_of_their_own(wrote, tmp_path):
    experiment = load(wrote(("SEEDS = 2", "SEEDS = 2\nTOGETHER = True"), (', "Recall (x)": "recall"', "")))
    runs = plan(experiment, tmp_path / "sweep")
    first, other = programs(experiment, runs)
    assert first.title == "0 images, seeds 0, 1"
    assert [member.title for member in first.members] == ["0 images, seed 0", "0 images, seed 1"]
    assert outcome.state(first) == outcome.TO_DO
    process.describe(first, 1)
    assert worker.work(first.path) == 0
    assert outcome.state(first) == outcome.DONE
    assert outcome.state(other) == outcome.TO_DO
    assert [outcome.state(run) for run in runs] == ["done", "to do"] * 2
    table = results.write(tmp_path / "sweep", experiment, runs, {})
    assert "0 images" in table
    losses = [outcome.numbers(run)["critic/loss"].value for run in first.members]
    assert losses[0] != losses[1]
    (first.members[1].path / "checkpoints" / f"{first.steps:08d}").rename(tmp_path / "gone")
    assert outcome.state(first) == outcome.BROKEN


@pytest.mark.parametrize(("lines", "message"), [("TOGETHER = 1", "TOGETHER=1: expected True"), (None, "two seeds")])
def test_what_is_no_way_to_train_together_is_refused(lines, message, wrote, tmp_path):
    pair = ("SEEDS = 2", f"SEEDS = 2\n{lines}") if lines else ("SEEDS = 2", "SEEDS = 1\nTOGETHER = True")
    with pytest.raises(InputError, match=message):
        plan(load(wrote(pair)), tmp_path)


def test_a_number_that_no_run_has_stops_the_sweep(wrote, tmp_path):
    experiment = load(wrote(("critic/loss", "critic/los")))
    runs = plan(experiment, tmp_path)
    sweep.refuse_absent(experiment, runs)  # nothing is known yet
    finish(runs[0], [evaluation(4, 64, **{"Recall (x)": 0.5})], **{"critic/loss": 0.5})
    with pytest.raises(InputError, match=r"'critic/los' \(did you mean 'critic/loss'\?\)"):
        sweep.refuse_absent(experiment, runs)
    finish(runs[1], **{"critic/los": 0.5})
    sweep.refuse_absent(experiment, runs)  # a run has it: the others' lack is theirs
    assert "critic/los" in sweep.lacking(experiment, runs[0])
    assert "'Recall (x)'" in sweep.lacking(experiment, runs[1])


# -- results


@pytest.fixture
def studied(wrote, tmp_path):
    """An experiment of three seeds, its runs, and what they came to: loss and recall by (variant, seed)."""
    experiment = load(wrote(("SEEDS = 2", "SEEDS = 3")))
    runs = plan(experiment, tmp_path)
    draws = np.random.default_rng(0).uniform(0.2, 0.8, (2, 2, 3))  # [variant, number, seed]
    for one in runs:
        loss, recall = draws[list(experiment.variants).index(one.variant), :, one.seed]
        finish(one, [evaluation(4, 64, **{"Recall (x)": recall})], **{"critic/loss": loss})
    return experiment, runs, draws


def test_the_table_is_numpys(studied, tmp_path):
    experiment, runs, draws = studied
    text = results.write(tmp_path, experiment, runs, {})
    assert text == (tmp_path / "results.md").read_text()
    assert text.startswith("# A title. More\n\n| Variant | Seeds | loss ↓ | recall ↑ |\n")
    best = draws[:, 0].mean(-1).argmin(), draws[:, 1].mean(-1).argmax()
    for i, title in enumerate(experiment.variants):
        cells = []
        for j in range(2):
            x = draws[i, j]
            # Every one of the 27 resamples of three values is as likely: the interval of their means, exactly.
            means = np.sort([x[[a, b, c]].mean() for a in range(3) for b in range(3) for c in range(3)])
            low, high = (np.quantile(means, q) for q in (0.025, 0.975))
            one = results.summary(x)
            assert one.interval == pytest.approx((low, high), abs=0.2 * np.ptp(x))
            same = stats.bootstrap((x,), np.mean, method="percentile", rng=np.random.default_rng(0)).confidence_interval
            places = 1 - int(np.floor(np.log10(x.std(ddof=1))))
            numbers = [f"{value:.{places}f}" for value in (x.mean(), x.std(ddof=1), same.low, same.high)]
            cell = "{} ± {} [{}, {}]".format(*numbers)
            cells.append(f"**{cell}**" if best[j] == i else cell)
        assert f"| {title} | 3 | {' | '.join(cells)} |" in text


def test_a_number_has_one_direction(wrote, tmp_path):
    experiment = load(wrote(('"Recall (x)": "recall"', '"Recall (x)": ("recall", "lower")')))
    one, *_ = runs = plan(experiment, tmp_path)
    finish(one, [evaluation(4, 64, **{"Recall (x)": 0.5})], **{"critic/loss": 0.25})
    with pytest.raises(InputError, match=r"'Recall \(x\)': higher is better, not lower: give the title alone"):
        results.write(tmp_path, experiment, runs, {})


def test_the_losses_of_adversarial_nets_have_no_best(wrote, tmp_path):
    experiment = load(wrote(('("loss", "lower")', '"loss"')))
    for one in (runs := plan(experiment, tmp_path)):
        finish(one, [evaluation(4, 64, **{"Recall (x)": one.x / 1000})], **{"critic/loss": one.x})
    text = results.write(tmp_path, experiment, runs, {})
    assert "| Variant | Seeds | loss | recall ↑ |" in text
    assert "| 500 images | 2 | 500 ± 0 | **0.5 ± 0** |" in text


def test_the_rows_are_tidy(studied, tmp_path):
    experiment, runs, draws = studied
    results.write(tmp_path, experiment, runs, {})
    rows = list(csv.DictReader(io.StringIO((tmp_path / "results.csv").read_text())))
    assert len(rows) == 2 * 3 * 2
    assert list(rows[0]) == ["variant", "seed", "metric", "value", "x", "seconds", "run"]
    for row in rows:
        i, j = list(experiment.variants).index(row["variant"]), ["loss", "recall"].index(row["metric"])
        assert float(row["value"]) == draws[i, j, int(row["seed"])]
        assert (float(row["x"]), float(row["seconds"])) == ((0, 500)[i], 2.5)
        assert Path(tmp_path / row["run"]).is_dir()


def test_few_seeds_have_no_interval_and_the_table_says_so(wrote, tmp_path):
    experiment = load(wrote())
    one, other, *_ = runs = plan(experiment, tmp_path)
    finish(one, **{"critic/loss": 0.25})
    finish(other, [evaluation(4, 64, **{"Recall (x)": 0.5})], **{"critic/loss": 0.75})
    text = results.write(tmp_path, experiment, runs, {one.title: "a | reason"})
    assert "| 0 images | 1 | **0.25** |  |\n| 500 images | 1 | 0.75 | 0.5 |" in text  # one alone is no best
    assert "Fewer than 3 seeds have no interval" in text
    assert "2 of 4 runs are done." in text
    assert "- 0 images, seed 0: a | reason" in text
    assert results.summary([1.0, 3.0]) == ((1.0, 3.0), 2.0, pytest.approx(2**0.5), None)


def test_numbers_of_several_protocols_are_not_ranked(wrote, tmp_path):
    experiment = load(wrote(("SEEDS = 2", "SEEDS = 1")))
    for one, count in zip(plan(experiment, tmp_path), (64, 128), strict=True):
        finish(one, [evaluation(4, count, **{"Recall (x)": 0.5})], **{"critic/loss": 0.5 + count})
    text = results.write(tmp_path, experiment, plan(experiment, tmp_path), {})
    assert "recall of '0 images, seed 0' and of '500 images, seed 0' do not compare**: samples.count: 64 -> 128" in text
    assert "| 0 images | 1 | **64.5** | 0.5 |" in text


@pytest.mark.parametrize("axis", [True, False])
def test_the_figure_shows_every_seed_and_mean(studied, monkeypatch, axis):
    experiment, runs, draws = studied
    if not axis:
        experiment = load_without_axis(experiment)
    drawn = []
    monkeypatch.setattr("matplotlib.axes.Axes.plot", lambda self, *given, **style: drawn.append((*given[:2], style)))
    found = {one.title: outcome.numbers(one) for one in runs}
    summaries = results.summarize(list(results.rows_of(experiment, runs, found)))
    figure.draw(experiment, {one.variant: one.x for one in runs}, summaries, {"loss": "lower", "recall": None})
    values = [np.ravel(given[int(axis)]) for *given, style in drawn if style["color"] == figure.FAINT]
    np.testing.assert_allclose(np.sort(np.concatenate(values)), np.sort(draws.ravel()))
    means = [np.ravel(given[int(axis)]) for *given, style in drawn if style.get("ms") == figure.MEAN["ms"]]
    np.testing.assert_allclose(np.sort(np.concatenate(means)), np.sort(draws.mean(-1).ravel()))


def load_without_axis(experiment):
    import dataclasses

    return dataclasses.replace(experiment, axis=None)
