"""Weights of a run or a file as the first ones of another run, by name and shape; frozen modules keep them."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from helpers import assert_same, config_of, ending, leaves
from safetensors.numpy import save_file

from genjax import tasks
from genjax.engine.loop import shapes
from genjax.engine.update import optimizer
from genjax.errors import InputError
from genjax.run import initial_weights
from genjax.run.restore import restore
from genjax.run.training import train

pytestmark = pytest.mark.usefixtures("no_report", "traced_once")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of a few steps, with an average of its generator."""
    path = tmp_path_factory.mktemp("trained")
    assert train(config_of("gan", ema__half_life=100.0), path) == 0
    return path


def like(name="gan", shape=(28, 28, 1), **overrides):
    """The shapes of a state."""
    return shapes(tasks.build(config_of(name, **overrides), shape))


def numbered(state):
    """Arrays of the shapes of a state by name, each of one number."""
    found = {}
    initial_weights._map_named(lambda name, a: found.setdefault(name, np.full(a.shape, len(found), np.float32)), state)
    return found


def found(path, state, **init):
    """The arrays that a state takes from a file or a run."""
    return initial_weights.find(config_of("gan", init__weights=str(path), **init), state)


def file_of(arrays, path):
    save_file(arrays, path / "w.safetensors")
    return path / "w.safetensors"


def test_equal_nets_take_everything(tmp_path):
    arrays = numbered(like())
    got = found(file_of(arrays, tmp_path), like())
    assert got.arrays.keys() == arrays.keys()
    assert all((got.arrays[name] == array).all() for name, array in arrays.items())
    assert got.lines[0].endswith(": took 6 of 6 arrays of critic, 6 of 6 arrays of generator")
    assert len(got.lines) == 1
    assert got.record["left"] == []


def test_names_with_dots_are_those_with_slashes(tmp_path):
    arrays = numbered(like())
    got = found(file_of({name.replace("/", "."): array for name, array in arrays.items()}, tmp_path), like())
    assert got.arrays.keys() == arrays.keys()


def test_another_shape_or_a_missing_array_keeps_its_first_value_and_is_named(tmp_path):
    arrays = numbered(like())
    del arrays["critic/Dense_0/bias"]
    arrays["critic/Dense_1/bias"] = np.zeros(3, np.float32)
    got = found(file_of(arrays, tmp_path), like())
    assert len(got.arrays) == len(arrays) - 1
    assert "critic/Dense_0/bias: not there" in got.record["left"]
    shape = list(numbered(like())["critic/Dense_1/bias"].shape)
    assert f"critic/Dense_1/bias: [3] there, {shape} here" in got.lines[1]


@pytest.mark.parametrize(("only", "count"), [("generator", 6), ("critic/Dense_0", 2), ("generator,critic/Dense_0", 8)])
def test_some_nets_or_modules_alone(only, count, tmp_path):
    got = found(file_of(numbered(like()), tmp_path), like(), init__only=only)
    assert len(got.arrays) == count


def test_averages_come_from_plain_weights_where_there_are_no_others_and_the_other_way_round(tmp_path):
    arrays = numbered(like())
    got = found(file_of(arrays, tmp_path), like(ema__half_life=9.0))
    name = "generator/Dense_0/kernel"
    np.testing.assert_array_equal(got.arrays[f"ema/{name}"], arrays[name])
    averaged = {name: array for name, array in numbered(like(ema__half_life=9.0)).items() if name.startswith("ema/")}
    got = found(file_of(averaged, tmp_path), like())
    np.testing.assert_array_equal(got.arrays[name], averaged[f"ema/{name}"])
    assert not any(name.startswith("critic") for name in got.arrays)


def test_statistics_are_taken_as_well(tmp_path):
    state = like("dcgan", ema__half_life=9.0)
    got = found(file_of(numbered(state), tmp_path), state)
    assert "generator/batch_stats/BatchNorm_0/mean" in got.arrays
    assert "ema/generator/batch_stats/BatchNorm_0/mean" in got.arrays


@pytest.mark.heavy
def test_a_deeper_stylegan2_takes_the_stages_of_equal_size(tmp_path):
    """Its critic's blocks count from the image on, so block k at 64 pixels is block k - 1 at 32."""
    small = numbered(like("stylegan2", (32, 32, 3), generator__channels=(8,) * 4, critic__channels=(8,) * 4))
    big = like("stylegan2", (64, 64, 3), generator__channels=(8,) * 5, critic__channels=(8,) * 5)
    got = found(file_of(small, tmp_path), big).arrays
    for block in (1, 2, 3):
        name = f"critic/Block_{block}/Conv_1/kernel"
        np.testing.assert_array_equal(got[name], small[f"critic/Block_{block - 1}/Conv_1/kernel"])
    assert not any(name.startswith("critic/Block_0") for name in got)
    np.testing.assert_array_equal(got["generator/to_rgb_3/bias"], small["generator/to_rgb_3/bias"])
    assert not any(name.startswith("generator/to_rgb_4") for name in got)


@pytest.mark.parametrize(
    ("message", "init"),
    [
        ("none of its 1 arrays fits the 12 of this config: critic", {}),
        ("no array of this config is below 'generater'.*did you mean 'generator'", {"init__only": "generater"}),
        ("a step is of a run's folder", {"init__step": "best"}),
        ("nowhere cannot be read: no such file", {"init__weights": "nowhere"}),
    ],
)
def test_what_does_not_fit_is_refused(message, init, tmp_path):
    file = file_of({"other": np.zeros(2, np.float32)}, tmp_path)
    with pytest.raises(InputError, match=message):
        initial_weights.find(config_of("gan", **{"init__weights": str(file)} | init), like())


def test_a_file_of_another_format_is_refused_with_the_command_for_it(tmp_path):
    (tmp_path / "x.pkl").write_bytes(b"\x80\x04N.")
    with pytest.raises(InputError, match=r"x\.pkl is not a safetensors file.*genjax\.convert makes a run"):
        initial_weights.find(config_of("gan", init__weights=str(tmp_path / "x.pkl")), like())


def test_a_step_without_weights_is_refused():
    with pytest.raises(InputError, match=r"these need init\.weights"):
        initial_weights.find(config_of("gan", init__step="4"), like())


@pytest.mark.heavy
def test_a_run_begins_with_the_weights_of_another_and_resumes_without_it(trained, tmp_path, capsys):
    """At a learning rate of 0 they are its weights at the end as well, to the bit."""
    still = {f"optimizer__{net}__learning_rate": 0.0 for net in ("generator", "critic")}
    config = config_of("gan", ema__half_life=100.0, init__weights=str(trained), **still)
    assert train(config, tmp_path / "run") == 0
    assert "step 4: took 6 of 6 arrays of critic, 6 of 6 arrays of generator, 6 of" in capsys.readouterr().err
    state, source = restore(tmp_path / "run")[1], restore(trained)[1]
    for net in ("generator", "critic"):
        jax.tree.map(np.testing.assert_array_equal, state.nets[net].params, source.nets[net].params)
    record = json.loads((tmp_path / "run" / "config.json").read_text())["init"]
    assert record["arrays"] == {"generator": [6, 6], "critic": [6, 6], "ema/generator": [6, 6]}

    moved = trained.rename(trained.parent / "moved")
    before = ending(tmp_path / "run")
    assert train(config, tmp_path / "run") == 0
    moved.rename(trained)
    assert_same(ending(tmp_path / "run"), before)
    assert json.loads((tmp_path / "run" / "config.json").read_text())["init"] == record


@pytest.mark.heavy
def test_a_run_with_frozen_modules_keeps_them_through_a_resume(trained, tmp_path):
    given = {"init__weights": str(trained), "optimizer__critic__frozen": "Dense_0", "steps": 4}
    assert train(config_of("gan", **given), tmp_path / "whole") == 0
    assert train(config_of("gan", **given | {"steps": 2}), tmp_path / "run") == 0
    assert train(config_of("gan", **given), tmp_path / "run", force=True) == 0
    assert_same(leaves(tmp_path / "run"), leaves(tmp_path / "whole"))
    first, last = (restore(path)[1].nets["critic"].params for path in (trained, tmp_path / "run"))
    np.testing.assert_array_equal(last["Dense_0"]["kernel"], first["Dense_0"]["kernel"])
    assert (np.asarray(last["Dense_1"]["kernel"]) != first["Dense_1"]["kernel"]).any()


@pytest.mark.parametrize("options", [{"name": "adam"}, {"name": "sgd", "weight_clip": 0.01}])
def test_other_modules_move_as_without_frozen_ones(options):
    rng = np.random.default_rng(0)
    params = {name: {"kernel": jnp.float32(rng.normal(size=(3, 2)))} for name in ("Conv_0", "Conv_1", "Conv_10")}
    grads = jax.tree.map(lambda a: jnp.float32(rng.normal(size=a.shape)), params)
    results = []
    for frozen in ("", "Conv_1"):
        tx = optimizer(learning_rate=0.1, frozen=frozen, **options)
        results.append(optax.apply_updates(params, tx.update(grads, tx.init(params), params)[0]))
    free, kept = results
    np.testing.assert_array_equal(kept["Conv_1"]["kernel"], params["Conv_1"]["kernel"])
    for name in ("Conv_0", "Conv_10"):
        np.testing.assert_array_equal(kept[name]["kernel"], free[name]["kernel"])
        assert (kept[name]["kernel"] != params[name]["kernel"]).any()


def test_a_frozen_module_that_there_is_not_is_refused_before_anything_is_compiled():
    task = tasks.build(config_of("gan", optimizer__critic__frozen="Conv_0"), (28, 28, 1))
    with pytest.raises(InputError, match="frozen='Conv_0': the net has no such module; it has Dense_0, Dense_1"):
        shapes(task)
