"""Defense-GAN's projection by closed forms, accuracies by hand, and the study as a command."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import Program, run

from experiments.attacks import defense_gan, measure

rng = np.random.default_rng(0)


def test_the_projection_onto_a_linear_generator_is_that_of_least_squares():
    basis, offset = rng.normal(size=(2, 6)).astype(np.float32), rng.normal(size=6).astype(np.float32)
    x = rng.normal(size=(3, 6)).astype(np.float32)
    start = rng.normal(size=(3, 2, 2)).astype(np.float32)
    found = jax.jit(lambda x, start: defense_gan.project(lambda z: z @ basis + offset, x, start, 600))(x, start)
    z, *_ = np.linalg.lstsq(basis.T, (x - offset).T, rcond=None)
    np.testing.assert_allclose(found.images, z.T @ basis + offset, atol=1e-3)
    np.testing.assert_allclose(found.errors, np.square(found.images - x).mean(1), rtol=1e-5)


def test_the_nearest_of_the_restarts_counts():
    """Cubes have a slope of zero at 0, where a descent stays: only the second start of each image gets away."""
    start = jnp.array([[[0.0], [0.5]], [[0.0], [-0.5]]])
    x = jnp.array([[1.0], [-1.0]])
    found = defense_gan.project(lambda z: z**3, x, start, 300)
    np.testing.assert_allclose(found.images, x, atol=1e-2)
    stuck = defense_gan.project(lambda z: z**3, x, start[:, :1], 300)
    np.testing.assert_array_equal(stuck.images, 0)


def test_accuracies_of_a_linear_classifier_under_attack_are_those_of_its_margins():
    """Two classes, by the sign of w x: an attack within epsilon flips an image of a margin below epsilon |w|_1."""
    w = np.array([1.0, -2.0], np.float32)
    logits = jax.jit(lambda x: jnp.stack([-x @ w, x @ w], 1) / 2)
    x = rng.uniform(0.3, 0.7, (70, 2)).astype(np.float32)
    label = (x @ w > 0).astype(np.int32)
    curves = measure.curves({"linear": logits}, x, label, [0.0, 0.05, 0.1], steps=10)["linear"]
    expected = [np.mean(np.abs(x @ w) > epsilon * 3) for epsilon in (0.0, 0.05, 0.1)]
    assert 0 < expected[1] < 1
    for kind in ("FGSM", "PGD"):
        assert [a.share for a in curves[kind]] == pytest.approx(expected)
        assert all(a.low <= a.share <= a.high for a in curves[kind])
    assert measure.accuracy(logits, x, label).share == 1


@pytest.mark.slow
def test_the_study_as_typed(tmp_path):
    flags = "--smoke", "--count=60", "--defended=5", "--epsilons=0,0.1", "--pgd_steps=2", "--restarts=2", "--descent=2"
    folders = f"--workdir={tmp_path / 'runs'}", f"--out={tmp_path / 'out'}"
    done = Program("experiments.attacks", *folders, *flags).wait(600)
    assert done.code == 0, done.err
    assert "| Defense-GAN |" in done.out
    numbers = json.loads((tmp_path / "out" / "attacks.json").read_text())
    for kinds in numbers["curves"].values():  # no room is no attack
        assert kinds["FGSM"][0] == kinds["PGD"][0]
    assert (tmp_path / "out" / "attacks.png").exists()


@pytest.mark.parametrize("flags", [["--epsilons=0,x"], ["--epsilons=8"], []])
def test_bad_flags_are_refused_before_anything_is_trained(flags, tmp_path):
    out = [f"--out={tmp_path / 'out'}"] if flags else []
    done = run("experiments.attacks", f"--workdir={tmp_path / 'runs'}", *out, *flags)
    assert done.code == 2
    assert ("epsilons" if flags else "--out is missing") in done.err
    assert not (tmp_path / "runs").exists()
