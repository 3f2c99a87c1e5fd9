"""Seeds that are trained together are what each is alone; the study of modes is written once and not repeated."""

import csv
import json

import jax
import numpy as np
import pytest
from helpers import Program

from experiments.gans import modes, vmapped_seeds
from genjax import tasks
from genjax.config import check


def study(folder, *more):
    given = [f"--out={folder}", "--data=ring8", "--seeds=2", *more]
    return Program("experiments.gans.modes", *given).wait()


@pytest.mark.slow  # of runs: run/test_together
def test_a_seed_does_not_depend_on_the_number_of_seeds():
    config = modes.config_of("GAN", "ring8", 3)
    (*_, (_, _, one, _)), (*_, (_, _, three, _)) = (vmapped_seeds.train(config, seeds, 2) for seeds in (1, 3))
    for alone, among in zip(jax.tree.leaves(one.nets), jax.tree.leaves(three.nets), strict=True):
        np.testing.assert_allclose(alone[0], among[0], rtol=2e-3, atol=1e-5)
    first = jax.tree.leaves(three.nets["generator"].params)[1]
    assert (first[0] != first[1]).any()


@pytest.mark.parametrize("method", modes.METHODS)
def test_every_method_is_a_gan_that_can_be_traced(method):
    config = modes.config_of(method, "grid25", 2)
    check(config, tasks.default_config("gan"))
    task = tasks.build(config, (2,))
    (phase,) = task.phases
    state = jax.eval_shape(task.init, jax.random.key(0))
    batch = {"x": jax.ShapeDtypeStruct((phase.batches_per_step, phase.batch, 2), np.float32)}
    after, metrics = jax.eval_shape(phase.step, state, batch, jax.random.key(0))
    assert jax.tree.structure(after) == jax.tree.structure(state)
    assert metrics["critic/loss"].shape == ()


@pytest.mark.slow
def test_a_finished_method_is_not_trained_again(tmp_path):
    first = study(tmp_path, "--steps=2", "--methods=GAN,all modes")
    assert first.code == 0, first.err
    for name in ("ring8.md", "ring8.csv", "ring8.png", "ring8_samples.png", "ring8.gif"):
        assert (tmp_path / name).stat().st_size
    rows = list(csv.DictReader((tmp_path / "ring8.csv").open()))
    assert len(rows) == 2 * 2 * (1 + modes.LONGER["all modes"])  # seeds, and the steps of either method
    counts = json.loads((tmp_path / "ring8" / "GAN.json").read_text())
    assert [float(row["modes"]) for row in rows[:2]] == counts["covered"][0]
    again = study(tmp_path, "--steps=2", "--methods=GAN,all modes")
    assert "good\n" not in again.out.split("| Method")[0]
    other = study(tmp_path, "--steps=3", "--methods=GAN")
    assert other.code == 2
    assert "choose another --out" in other.err


def test_an_interval_contains_the_mean_and_stays_within_the_values():
    values = [1.0, 2.0, 4.0, 9.0]
    low, high = modes.interval(values)
    assert min(values) <= low < 4 < high <= max(values)
    assert modes.interval([3.0, 3.0]) == (3.0, 3.0)
