"""Every experiment of configs/ builds at its full size and trains at its smallest."""

import jax
import pytest
from helpers import ROOT, config_of

from genjax import data, tasks
from genjax.config import check, flat
from genjax.engine.phase import scheduled_phases
from genjax.run.training import train

NAMES = sorted(path.stem for path in (ROOT / "configs").glob("*.py"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("variant", ["", "smoke"])
def test_every_config_has_the_keys_of_its_task_and_builds(name, variant):
    config = config_of(name, variant)
    check(config, tasks.default_config(config.task))
    task = tasks.build(config, data.load(config.data).shape)
    state = jax.eval_shape(task.init, jax.random.key(0))
    assert state.step.shape == ()
    assert all(leaf.size for leaf in jax.tree.leaves(state.nets))
    assert list(scheduled_phases(task))[-1].stop == task.steps


@pytest.mark.parametrize("name", NAMES)
def test_every_config_has_a_smoke_variant_that_trains(name, tmp_path):
    assert train(config_of(name), tmp_path) == 0
    assert (tmp_path / "report.html").exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_smoke_variant_differs_from_its_experiment_in_size_alone(name):
    """So that what it exercises is what the experiment does."""
    full, smoke = flat(config_of(name, "")), flat(config_of(name))
    changed = {key for key in full if full[key] != smoke[key]}
    assert full.keys() == smoke.keys()
    sizes = {"batch", "log_every", "sample_every", "save_every", "samples", "critic_steps"}
    sizes |= {"growth.start", "growth.fade", "growth.stable", "data.size", "crop", "coarse_steps"}
    assert changed <= sizes | {key for key in full if key.split(".")[-1] in ("steps", "channels", "widths", "width")}
