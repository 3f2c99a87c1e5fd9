"""The records of metrics: directions against known damage, one table for all readers, metrics of other modules."""

import json
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from helpers import ROOT, run

from genjax.data.source import in_memory
from genjax.engine.phase import Task
from genjax.engine.state import State
from genjax.errors import InputError
from genjax.evaluation import registry
from genjax.evaluation.context import EvalContext
from genjax.evaluation.evaluate import evaluate
from genjax.evaluation.metric import ARROWS, HIGHER, LOWER
from genjax.evaluation.nets import COORDINATES
from genjax.evaluation.registry import METRICS, parse
from genjax.run.records import read_evaluations

RNG = np.random.default_rng(0)
CLASSES = np.arange(120) % 4
# Smooth images of four brightnesses, as a data set of four classes.
CLEAN = np.clip(
    60 * CLASSES[:, None, None, None]
    + 20 * np.sin(np.arange(24) / 5)[:, None, None]
    + RNG.normal(0, 4, (120, 24, 24, 1)).cumsum(1) / 5,
    0,
    255,
).astype(np.uint8)
NOISE = RNG.integers(0, 256, CLEAN.shape, np.uint8)


def features(_, x):
    """Means and deviations of four parts of an image; probabilities of its class by the mean."""
    x = np.asarray(x, np.float32).reshape(len(x), 4, -1)
    distance = np.abs(x.mean((1, 2))[:, None] - (60 * np.arange(4) + 8)) / 10
    return np.concatenate([x.mean(2), x.std(2)], 1), np.exp(-distance) / np.exp(-distance).sum(1, keepdims=True)


NET = replace(COORDINATES, name="toy", dimension=8, classes=("a", "b", "c", "d"))


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def context_of(samples, **parts):
    reference = in_memory("made up", "train", CLEAN[:80], CLASSES[:80], NET.classes)
    made = in_memory("samples", "", samples, CLASSES[: len(samples)], NET.classes)
    context = EvalContext(made, reference, in_memory("made up", "test", CLEAN[80:], CLASSES[80:]), [NET], **parts)
    for name in ("samples", "reference"):  # in place of a compiled net
        x = getattr(context, name).read(np.arange(getattr(context, name).size))
        f, p = features(None, x)
        context._features[NET.name, name] = _features(f, p)
    return context


def _features(f, p):
    from genjax.evaluation.features import Features
    from genjax.metrics import Moments

    return Features(Moments.empty(f.shape[1]).add(f), f, p)


def numbers(metric, context):
    values, _ = metric.measure(context, NET) if metric.per_net else metric.measure(context)
    return values


ELSEWHERE = ("modes", "ppl", "nll_oracle")
OF_SAMPLES = [m for m in METRICS.values() if m.samples and m.name not in ELSEWHERE and m.applies_to != "series"]


@pytest.mark.heavy
@pytest.mark.parametrize("metric", OF_SAMPLES, ids=lambda metric: metric.name)
def test_real_images_are_better_than_noise_by_the_direction_of_each_number(metric):
    good = numbers(metric, context_of(CLEAN[:80]))
    bad = numbers(metric, context_of(NOISE[:80]))
    for one, other in zip(good, bad, strict=True):
        assert (one.label, one.better) == (other.label, other.better)
        if one.better == LOWER and one.label != "Copies of the reference":
            assert one.number < other.number, one.label
        if one.better == HIGHER:
            assert one.number > other.number, one.label


def autoencoder(restored):
    """A context with a task that restores held-out images as `restored`, and bounds that fall with its error."""
    error = float(np.mean((restored / 255 - CLEAN[80:] / 255) ** 2))

    def reconstruct(state, x):
        return restored[: len(x)].astype(np.float32)

    def log_weights(state, x, draws=3):
        return np.tile(np.float32([-1, -2, -3]) * error, (len(x), 1))

    outputs = {"reconstruct": reconstruct, "log_weights": log_weights}
    heldout = in_memory("made up", "test", CLEAN[80:96], None)
    return EvalContext(None, heldout, heldout, [], Task(None, (), outputs), State(jnp.int32(0), {}, {}, {}))


@pytest.mark.parametrize("name", ["reconstruction", "likelihood"])
def test_good_reconstructions_are_better_than_noise_by_the_direction_of_each_number(name):
    slight = np.clip(CLEAN[80:].astype(int) + 1, 0, 255).astype(np.uint8)
    good, bad = (METRICS[name].measure(autoencoder(x))[0] for x in (slight, NOISE[80:]))
    assert len(good) == len(METRICS[name].quantities)
    for one, other in zip(good, bad, strict=True):
        assert one.better == other.better
        sign = 1 if one.better == HIGHER else -1
        assert sign * one.number > sign * other.number, one.label


def test_fewer_modes_are_worse():
    from genjax.evaluation import sources

    reference = sources.open_images("ring8")
    x = reference.read(np.arange(1000))
    half = x[np.abs(reference.labels[:1000] - 3.5) < 2]
    spread = np.concatenate([half, half + 0.2]).astype(np.float32)
    all_modes, some_modes, blurred = (
        METRICS["modes"].measure(EvalContext(in_memory("samples", "", z, None), reference, None, []))[0]
        for z in (x, half, spread)
    )
    for i, worse in ((0, some_modes), (1, blurred), (2, some_modes)):
        sign = 1 if all_modes[i].better == HIGHER else -1
        assert sign * all_modes[i].number > sign * worse[i].number


def test_records_are_complete():
    for name, record in METRICS.items():
        assert name == record.name
        assert record.quantities
        assert record.summary
        assert all(quantity.better in ARROWS for quantity in record.quantities)


def test_the_table_of_the_documentation_is_current():
    text = (ROOT / "docs" / "metrics.md").read_text()
    table = text.split("<!-- metrics: python -m genjax.evaluation.registry -->\n")[1].split("\n<!-- end of metrics")[0]
    assert table == registry.as_markdown(), "put the output of `python -m genjax.evaluation.registry` there"


def test_help_lists_all_metrics():
    done = run("genjax.evaluate", "--help")
    for name in METRICS:
        assert f"{name}: " in done.out


# -- metrics of other modules

MODULE = '''
from genjax.evaluation.metric import LOWER, Quantity, metric

BRIGHTNESS = Quantity("Difference in brightness", LOWER, unit="gray levels")


@metric(BRIGHTNESS)
def brightness(context):
    """Difference of the mean pixels of samples and reference."""
    samples, reference = (context.take(name, 1000).mean() for name in ("samples", "reference"))
    return [BRIGHTNESS.value(abs(samples - reference))], {"count": 1000}


def undecorated(context):
    return [], {}
'''


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "my_metrics.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)


def test_a_metric_of_another_module_is_evaluated_and_recorded_with_its_code(module, tmp_path):
    (metric,) = parse("my_metrics:brightness")
    (result,) = evaluate(context_of(CLEAN[:80] // 2), [metric])
    assert result.metric == "my_metrics:brightness"
    (value,) = result.values
    assert value.label == "Difference in brightness in gray levels"
    assert value.better == LOWER
    assert value.number == pytest.approx(abs((CLEAN[:80] // 2).mean() - CLEAN[:80].mean()))
    assert len(result.protocol["code"]["sha256"]) == 64
    (tmp_path / "metrics.jsonl").write_text(json.dumps(result.row(7, None)) + "\n")
    (row,) = read_evaluations(tmp_path / "metrics.jsonl")
    assert row["better"] == {"Difference in brightness in gray levels": "lower"}


def test_what_is_not_a_metric_is_refused_by_name(module):
    with pytest.raises(InputError, match=r"my_metrics:undecorated.* it is function, not a metric: decorate"):
        parse("my_metrics:undecorated")
    with pytest.raises(InputError, match=r"no 'undecorated2'|has no 'brightnes' \(did you mean 'brightness'\?\)"):
        parse("my_metrics:brightnes")
