"""Seeds that train together are the runs of their seeds, in folders like theirs."""

import json
import os
import re
import shutil
import signal
from collections import Counter

import jax
import numpy as np
import pytest
from helpers import assert_same, checkpoints, config_of, ending, flip_a_byte, leaves, run

from genjax import tasks
from genjax.data import load
from genjax.data.feed import Feed, FeedOfSeeds
from genjax.engine import loop, seeds
from genjax.engine.mesh import make_mesh
from genjax.errors import InputError
from genjax.run import together
from genjax.run.restore import open_config
from genjax.run.training import train

pytestmark = pytest.mark.heavy
STEPS = 4


@pytest.fixture(autouse=True)
def _without_report(no_report, traced_once):
    pass


@pytest.fixture(scope="module")
def config(images):
    given = {"steps": STEPS, "log_every": 3, "sample_every": 2, "save_every": 2, "ema__half_life": 100.0, "seed": 5}
    return config_of("gan", data__name=f"folder:{images}", **given)


def train_together(config, path, count):
    return together.train(config, together.folders(path, config.seed, count))


@pytest.fixture(scope="module")
def whole(config, tmp_path_factory, no_report):
    """The folder of three seeds."""
    path = tmp_path_factory.mktemp("together")
    assert train_together(config, path, 3) == 0
    return path


def arrays(run):
    """The arrays of a run's last state."""
    return {name: np.frombuffer(raw, dtype) for name, (dtype, _, raw) in leaves(run).items()}


def test_each_is_the_run_of_its_seed(whole, config, tmp_path):
    assert sorted(path.name for path in whole.iterdir()) == ["seed_5", "seed_6", "seed_7"]
    config = config.copy_and_resolve_references()
    config.seed = 6
    assert train(config, tmp_path) == 0
    alone, with_others = (arrays(path) for path in (tmp_path, whole / "seed_6"))
    assert alone.keys() == with_others.keys()
    for name, value in alone.items():
        np.testing.assert_allclose(with_others[name], value, rtol=1e-4, atol=1e-5, err_msg=name)
    assert Counter(path.name for path in tmp_path.rglob("*.png")) == Counter(
        path.name for path in (whole / "seed_6").rglob("*.png")
    )
    rows = [[json.loads(line) for line in (path / "metrics.jsonl").open()] for path in (tmp_path, whole / "seed_6")]
    for one, other in zip(*rows, strict=True):
        assert one.keys() == other.keys()
        assert one["step"] == other["step"]
        assert one["critic/loss"] == pytest.approx(other["critic/loss"], rel=1e-4)
    infos = [json.loads((path / "config.json").read_text()) for path in (tmp_path, whole / "seed_6")]
    assert infos[1].pop("together") == [5, 6, 7]
    assert infos[0]["config"] == infos[1]["config"]
    others = arrays(whole / "seed_7")
    assert any(np.abs(others[name] - value).max() > 1e-2 for name, value in alone.items())  # else nothing is proved


def test_stopped_and_resumed_they_end_at_the_same_bits(whole, config, tmp_path, monkeypatch, capsys):
    real = loop.train

    def watched(*args):
        for result in real(*args):
            if result.step == 1:
                os.kill(os.getpid(), signal.SIGTERM)
            yield result

    with monkeypatch.context() as patch:
        patch.setattr(loop, "train", watched)
        patch.setattr(loop, "CALL_SECONDS", 0)
        assert train_together(config, tmp_path, 3) == 128 + signal.SIGTERM
    assert [checkpoints(path) for path in sorted(tmp_path.iterdir())] == [[1]] * 3
    assert "SIGTERM: all seeds are saved at step 1 of 4" in capsys.readouterr().err
    assert train_together(config, tmp_path, 3) == 0
    for path in whole.iterdir():
        assert_same(ending(tmp_path / path.name), ending(path))


def test_killed_between_two_saves_they_resume_at_the_step_that_all_have(whole, config, tmp_path):
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    shutil.rmtree(tmp_path / "seed_7" / "checkpoints" / "00000004")
    assert train_together(config, tmp_path, 3) == 0
    for path in whole.iterdir():
        assert_same(ending(tmp_path / path.name), ending(path))


def test_where_the_newest_checkpoint_of_one_is_damaged_all_resume_at_the_one_before(whole, config, tmp_path):
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    flip_a_byte(tmp_path / "seed_6" / "checkpoints" / "00000004")
    assert train_together(config, tmp_path, 3) == 0
    assert (tmp_path / "seed_6" / "checkpoints" / "00000004.damaged").is_dir()
    for path in whole.iterdir():
        assert_same(ending(tmp_path / path.name), ending(path))


def test_one_that_is_resumed_alone_keeps_the_record_of_the_others(whole, tmp_path):
    shutil.copytree(whole / "seed_6", tmp_path, dirs_exist_ok=True)
    shutil.rmtree(tmp_path / "checkpoints" / "00000004")
    assert train(open_config(tmp_path)[1], tmp_path) == 0
    assert json.loads((tmp_path / "config.json").read_text())["together"] == [5, 6, 7]


def test_seeds_of_different_steps_are_refused(whole, config, tmp_path):
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    before = ending(tmp_path / "seed_5")
    with pytest.raises(InputError, match="seed_7 at 4, seed_8 at 0"):
        train_together(config, tmp_path, 4)
    assert_same(ending(tmp_path / "seed_5"), before)


@pytest.mark.parametrize(
    ("count", "changes", "message"),
    [
        (1, {}, "1 seed: expected 2 or more"),
        (2, {"eval.patience": 3, "eval.every": 2, "eval.best": "frechet"}, "eval.patience"),
    ],
)
def test_what_cannot_train_together_is_refused(count, changes, message, config, tmp_path):
    config = config.copy_and_resolve_references()
    config.update_from_flattened_dict(changes)
    with pytest.raises(InputError, match=message):
        train_together(config, tmp_path / "new", count)
    assert not (tmp_path / "new").exists()


def test_a_dry_run_says_what_several_cost_and_refuses_what_cannot_train_together():
    dry = "genjax.train", "--config=gan:smoke", "--dry_run", "--seeds=3"
    assert "3 seeds: 3 times these operations and this state, on the data held once" in run(*dry).out
    best = "--config.eval.best=frechet", "--config.eval.every=2", "--config.eval.patience=3"
    run(*dry, *best).assert_refused("eval.patience")


def test_a_folder_that_holds_a_run_is_refused(whole, config):
    with pytest.raises(InputError, match="holds a run"):
        train_together(config, whole / "seed_5", 2)


def test_phases_are_entered_by_the_key_of_each_seed():
    """Greedy training puts a new layer on at each phase, from weights that are drawn then."""
    config = config_of("ae_greedy", steps=1, finetune__steps=1)
    source = load(config.data)
    task, mesh = tasks.build(config, source.shape), make_mesh()
    feed = Feed(source, 0, mesh, 2**30)
    numbers = (3, 4)

    def end(seed, feed):
        state = loop.initial_state(task, seed, mesh)
        for result in loop.train(task, state, feed, seed, mesh, (100,)):
            state = result.state
        return state

    states = seeds.split(end(numbers, FeedOfSeeds(feed, numbers)), 2)
    for number, state in zip(numbers, states, strict=True):
        alone = end(number, feed.with_seed(number))
        for a, b in zip(jax.tree.leaves(alone), jax.tree.leaves(state), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_what_is_due_at_some_steps_stays_a_branch(config):
    """A mapped step counter would compute both sides at every step, and choose."""
    config = config.copy_and_resolve_references()
    config.penalty.update(r1=1.0, interval=4)
    source = load(config.data)
    task = tasks.build(config, source.shape)
    feed = FeedOfSeeds(Feed(source, 0, make_mesh(), 2**30), (0, 1))
    states = jax.eval_shape(
        seeds.map_init(task.init, (0, 1)), jax.eval_shape(lambda: jax.random.split(jax.random.key(0), 2))
    )
    call = seeds.map_call(loop.phase_call(task.phases[0], feed.take_batch, 2), (0, 1))
    indices = jax.ShapeDtypeStruct((2, 2, task.phases[0].batches_per_step, task.phases[0].batch), np.int32)
    keys = jax.eval_shape(lambda: jax.random.split(jax.random.key(0), 2))
    assert "cond[" in str(jax.make_jaxpr(call)(states, feed.resident_data, indices, 2, keys))


def test_a_seed_whose_loss_is_not_finite_is_named(config, tmp_path, capsys):
    config = config.copy_and_resolve_references()
    config.optimizer.critic.learning_rate = 1e30
    assert train_together(config, tmp_path, 2) == 1
    assert re.search(r"loss of seed [56] became nan at step 1\n", capsys.readouterr().err)
