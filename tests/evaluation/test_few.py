"""Metrics of very few examples: a number with a warning, or a refusal, and never NaN."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from genjax.data.source import Mixture, in_memory
from genjax.engine.phase import Task
from genjax.engine.state import State
from genjax.evaluation.context import EvalContext
from genjax.evaluation.evaluate import evaluate
from genjax.evaluation.registry import METRICS
from genjax.metrics.features import FeatureNet

rng = np.random.default_rng(0)
IMAGES = rng.integers(0, 256, (300, 16, 16, 1), np.uint8)
LABELS = np.arange(300) % 2
WARNED = {  # the number of examples below which each metric warns, where it does not refuse
    "frechet": 4,
    "kernel": 20,
    "precision_recall": 100,
    "density_coverage": 100,
    "classes": 10,  # of both; one example of the reference has one
    "conditional_accuracy": 100,
    "swd": 100,
    "ms_ssim": 46,
    "accuracy": 100,
}
REFUSED = {"inception_score": 20, "precision_recall": 4, "density_coverage": 6, "kernel": 2, "frechet": 2, "ms_ssim": 2}
REFUSED |= {"likelihood": 2}


def look(_, x):
    x = x.astype(jnp.float32) / 255
    features = jnp.stack([x[:, :5].mean((1, 2, 3)), x[:, 5:9].mean((1, 2, 3)), x[:, 9:].mean((1, 2, 3))], 1)
    return features, jax.nn.softmax(features[:, :2] * 9)


NET = FeatureNet("toy", 3, "00", "none", look, np.float32(0), classes=("dark", "bright"))
OUTPUTS = {
    "reconstruct": lambda state, x: x.astype(jnp.float32) / 2,
    "classify": lambda state, x: look(0, x)[1],
    "log_weights": lambda state, x, draws=3: -x[:, 0, :3, 0].astype(jnp.float32),
}


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def measure(count, names):
    source = in_memory("noise", "", IMAGES[:count], LABELS[:count], ("dark", "bright"))
    other = in_memory("noise", "", IMAGES[-count:], LABELS[-count:], ("dark", "bright"))
    task = Task(lambda key: None, (), OUTPUTS)
    context = EvalContext(source, other, source, [NET], task, State(jnp.int32(0), {}, {}, {}))
    heard, skipped = [], {}
    metrics = [METRICS[name] for name in names]
    results = evaluate(context, metrics, optional=True, warn=heard.append, on_skip=skipped.__setitem__)
    return results, heard, {label.split(" ")[0]: reason for label, reason in skipped.items()}


@pytest.mark.heavy
@pytest.mark.parametrize("count", [1, 2, 3, 12, 150])
def test_few_examples_have_a_number_a_warning_or_a_refusal(count):
    others = (
        "modes",
        "ppl",
        "translation",
        "translation_features",
        "cycle",
        "discriminative",
        "predictive",
        "nll_oracle",
        "nll_test",
    )
    names = [name for name in METRICS if name not in others]
    results, heard, skipped = measure(count, names)
    assert set(skipped) == {name for name, least in REFUSED.items() if count < least}
    for result in results:
        assert not any(np.isnan(value.number) for value in result.values), result
        assert all(value.std is None or value.std > 1e-9 for value in result.values), result
    warned = {line.split(" ")[0].rstrip(":") for line in heard}
    expected = {name for name, most in WARNED.items() if count < most and name not in skipped}
    expected -= {"classes"} if count == 1 else set()
    assert warned - {"inception_score"} == expected
    assert all(reason.endswith(("more", "more.", "shows.", "least 1.")) for reason in skipped.values()), skipped


def test_one_warning_names_both_sets():
    _, heard, _ = measure(3, ["frechet"])
    (line,) = heard
    assert "3 samples and 3 examples of the reference in 3 dimensions" in line


def test_few_modes_and_shares_are_doubtful():
    x = rng.standard_normal((12, 2)).astype(np.float32)
    law = in_memory("law", "", x, None, mixture=Mixture(np.array([[0.0, 0], [1, 1]]), 1.0))
    heard = []
    evaluate(EvalContext(law, law, None, []), [METRICS["modes"]], warn=heard.append)
    assert "standard errors of up to 0.14" in heard[0]
    assert len(heard) == 1


def test_a_kernel_distance_has_subsets_that_differ_or_no_deviation():
    for count, expected in ((150, (100, 75)), (20, (100, 10)), (12, (1, 12))):
        ((result,), heard, _) = measure(count, ["kernel"])
        settings = result.protocol["settings"]
        assert (settings["subsets"], settings["size"]) == expected
        assert (result.values[0].std is None) == (expected[0] == 1) == bool(heard)


def test_a_negative_kernel_distance_is_explained():
    x = rng.standard_normal((200, 2)).astype(np.float32)
    net = FeatureNet("coordinates", 2, "", "none", None, None)
    notes = {}
    for shift in range(0, 40, 4):
        first, second = in_memory("", "", x[:100], None), in_memory("", "", x[100:] + np.float32(shift / 40), None)
        (result,) = evaluate(EvalContext(first, second, None, [net]), [METRICS["kernel"]], warn=lambda _: None)
        (value,) = result.values
        notes[value.number < 0] = value.note
        assert bool(result.row(1, None).get("notes")) == (value.number < 0)
    assert notes[False] == ""
    assert "below 0" in notes[True]
