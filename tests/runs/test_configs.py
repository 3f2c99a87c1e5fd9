"""Every experiment of configs/ builds at its full size, and its smallest variant trains."""

import re

import jax
import pytest
from arithmetic import FAST
from helpers import ROOT, assert_keeps_state, config_of, step_inputs

from experiments.configs import size_of
from genjax import config_table, data, tasks
from genjax.config import check, flat
from genjax.engine.loop import shapes
from genjax.engine.phase import scheduled_phases
from genjax.run.training import train

NAMES = sorted(path.stem for path in (ROOT / "configs").glob("*.py"))
ELSEWHERE = ("gan", "ae_greedy", "ae_recurrent")
"""Configs that the default suite trains in other files: many, faults/test_preemption and data/test_series."""
TRACED = ("stylegan2_ada",)
"""Those whose steps others trace: StyleGAN2's, and tasks/test_before_augmentation."""
LARGE = ("cyclegan", "pix2pix", "seqgan")
"""Configs whose data take long to make; a step of their smoke variants is traced all the same."""
TRAINED = ("ae_conv", "classifier", "pretrain_classifier", "vae", "vqvae")
"""Those that train here, so that each task and kind of net does. The others are traced there, here or for their
arithmetic, and train in the slow tier, since XLA takes ten seconds for each."""


def built(name, variant):
    """A config's task and its data."""
    config = config_of(name, variant)
    check(config, tasks.default_config(config.task))
    source = data.load(config.data)
    return tasks.build(config, source.shape), source


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in LARGE else ()) for name in NAMES]
)
def test_every_config_has_the_keys_of_its_task_and_builds_at_full_size(name):
    task, source = built(name, "")
    assert size_of(config_of(name, ""), source, task) == config_table.sizes()[name], "run python -m experiments.configs"
    state = jax.eval_shape(task.init, jax.random.key(0))
    assert state.step.shape == ()
    assert all(leaf.size for leaf in jax.tree.leaves(state.nets))
    assert list(scheduled_phases(task))[-1].stop == task.steps


@pytest.mark.parametrize("name", [name for name in NAMES if name not in (*TRAINED, *ELSEWHERE, *FAST, *TRACED)])
def test_a_step_of_every_phase_of_a_smoke_variant_keeps_the_state_and_gives_scalars(name):
    task, source = built(name, "smoke")
    state = shapes(task)
    for phase in task.phases:
        assert_keeps_state(jax.eval_shape(phase.prepared_step, *step_inputs(phase, source, state)), state)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in TRAINED else pytest.mark.slow) for name in NAMES]
)
def test_every_config_has_a_smoke_variant_that_trains(name, tmp_path):
    assert train(config_of(name), tmp_path) == 0
    assert (tmp_path / "report.html").exists()


ENDS = ("steps", "channels", "widths", "width", "filters", "embedding")
"""Of keys that are sizes."""


@pytest.mark.parametrize("name", NAMES)
def test_a_smoke_variant_differs_from_its_experiment_in_size_alone(name):
    """So that what it exercises is what the experiment does."""
    full, smoke = flat(config_of(name, "")), flat(config_of(name))
    changed = {key for key in full if full[key] != smoke[key]}
    assert full.keys() == smoke.keys()
    sizes = {"batch", "log_every", "sample_every", "save_every", "samples", "critic_steps"}
    sizes |= {"growth.start", "growth.fade", "growth.stable", "data.size", "data.split", "crop", "coarse_steps"}
    sizes |= {"pool", "generator.blocks", "rollouts", "vocabulary"}
    names = {re.sub(r"\d+", "", config["data.name"]) for config in (full, smoke)}
    sizes |= {"data.name"} if len(names) == 1 else set()  # oracle_50x6 is a small oracle_5000x20
    assert changed <= sizes | {key for key in full if key.split(".")[-1] in ENDS}
