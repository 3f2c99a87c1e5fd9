"""Others' weights become a run, which all commands take."""

import json

import jax
import numpy as np
import official_stylegan2 as official
import pytest
from helpers import run
from official_stylegan2 import LATENT, SIDE, random_critic, random_generator, write
from rosinality_stylegan2 import checkpoint, save

import genjax
from genjax import config_files, tasks
from genjax.engine import loop
from genjax.run import initial_weights

LICENSE = "for research alone"


def convert(tmp_path, *arguments, file="x.pkl", **options):
    if options or not (tmp_path / file).exists():
        write(tmp_path / file, **options)
    return run("genjax.convert", f"--file={tmp_path / file}", f"--out={tmp_path / 'run'}", *arguments)


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("converted")
    done = convert(folder, f"--license={LICENSE}")
    assert done.code == 0, done.err
    return folder / "run", done


def test_a_converted_run_draws_the_images_of_the_equations(converted):
    folder, done = converted
    assert "a pickle of stylegan2-ada-pytorch: 16x16 pixels, 3 channels" in done.out
    assert LICENSE in done.out
    loaded = genjax.load(folder)
    z = np.random.default_rng(0).standard_normal((4, LATENT)).astype(np.float32)
    expected = np.clip(127.5 * (official.image(random_generator(0), z) + 1), 0, 255)
    np.testing.assert_allclose(loaded.decode(z), np.rint(expected), atol=1)  # rounded where halves are near
    assert (loaded.decode(z) == np.rint(expected)).mean() > 0.999
    assert loaded.state.extra["ada"]["p"] == np.float32(0.37)
    assert loaded.config.ada.parts == "bgc"
    assert loaded.config.data.mirror
    kernel = loaded.params["critic"]["Conv_0"]["kernel"]
    np.testing.assert_array_equal(kernel, random_critic()["b16.fromrgb.weight"].transpose(2, 3, 1, 0))
    kernel = loaded.params["generator"]["mapping"]["dense_0"]["kernel"]
    np.testing.assert_array_equal(kernel, random_generator(2)["mapping.fc0.weight"].T)


def test_the_terms_and_the_file_are_recorded(converted):
    folder, _ = converted
    info = json.loads((folder / "config.json").read_text())
    assert info["weights"]["license"] == LICENSE
    assert info["weights"]["file"] == "x.pkl"
    assert len(info["weights"]["sha256"]) == 64
    assert "genjax.evaluate needs --reference" in "\n".join(info["weights"]["notes"])


def test_a_run_that_begins_with_converted_weights_records_their_terms(converted):
    """And with all of them: the average of w and the noise, too. `genjax.train --config=RUN` has its config."""
    folder, _ = converted
    config = config_files.load(str(folder))
    config.init.weights = str(folder)
    like = loop.shapes(tasks.build(config, (SIDE, SIDE, 3)))
    found = initial_weights.find(config, like)
    assert found.record["license"] == LICENSE
    assert f"license of {folder}: {LICENSE}" in found.lines
    assert found.record["left"] == []
    averaged = random_generator(0)
    np.testing.assert_array_equal(found.arrays["ema/generator/average/mapping/w_avg"], averaged["mapping.w_avg"])


def test_a_model_card_has_the_terms_of_the_first_weights(converted, tmp_path):
    terms = ("--license=other", "--license_name=mine", "--data_license=unknown", "--nostablehlo")
    done = run("genjax.export", f"--workdir={converted[0]}", f"--out={tmp_path / 'out'}", *terms)
    assert done.code == 0, done.err
    assert (
        f"Its first weights are those of others. Their license: {LICENSE}" in (tmp_path / "out/README.md").read_text()
    )


def test_samples_need_no_data(converted, tmp_path):
    folder, _ = converted
    done = run("genjax.sample", f"--workdir={folder}", "--seeds=0-3", "--truncation=0.7", f"--out={tmp_path / 'x.npy'}")
    assert done.code == 0, done.err
    assert np.load(tmp_path / "x.npy").shape == (4, SIDE, SIDE, 3)


@pytest.mark.parametrize("command", ["evaluate", "train"])
def test_a_run_without_data_asks_for_them(command, converted):
    run(f"genjax.{command}", f"--workdir={converted[0]}").assert_refused(
        "no data are named", "--reference", "--config.init.weights"
    )


def test_the_terms_have_to_be_given(tmp_path):
    for arguments in ([], ["--license= "]):
        convert(tmp_path, *arguments).assert_refused(
            "--license is needed", "NVIDIA's license permits non-commercial use"
        )
    assert not (tmp_path / "run").exists()


def test_a_folder_with_contents_is_refused(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine").touch()
    convert(tmp_path, "--license=x").assert_refused("exists: choose a new folder")


def test_nothing_is_left_of_a_file_that_is_refused(tmp_path):
    file = write(tmp_path / "x.pkl")
    file.write_bytes(file.read_bytes()[:-9])
    convert(tmp_path, "--license=x").assert_refused("is not a pickle of stylegan2-ada-pytorch, or is cut short")
    (tmp_path / "y.pkl").write_bytes(b"GIF89a and more")
    convert(tmp_path, "--license=x", file="y.pkl").assert_refused("begins with b'GIF89a an': expected")
    (tmp_path / "z.pkl").unlink(missing_ok=True)
    assert {path.name for path in tmp_path.iterdir()} == {"x.pkl", "y.pkl"}


def test_data_of_another_form_and_configs_of_other_tasks_are_refused(tmp_path):
    data = "--config.data.name=emoji_32"
    convert(tmp_path, "--license=x", "--config=stylegan2_ada", data).assert_refused("examples of shape [32, 32, 3]")
    convert(tmp_path, "--license=x", "--config=dcgan").assert_refused("of the task 'gan': expected stylegan2")
    assert not (tmp_path / "run").exists()


def test_nets_of_another_format_replace_those_of_the_config(tmp_path):
    """The default config clamps at 256, and these nets do not."""
    save(tmp_path / "x.pt", checkpoint())
    assert convert(tmp_path, "--license=x", file="x.pt").code == 0
    config = genjax.load(tmp_path / "run").config
    assert config.generator.channels == config.critic.channels == official.CHANNELS
    for net in (config.generator, config.critic):
        assert not net.get("conv_clamp")


@pytest.mark.slow
def test_a_critic_that_a_file_lacks_begins_as_in_training(tmp_path):
    assert convert(tmp_path, "--license=x", D=None, G=None).code == 0
    loaded = genjax.load(tmp_path / "run")
    kernel = loaded.params["critic"]["Block_0"]["Conv_0"]["kernel"]
    assert 0.8 < kernel.std() < 1.2
    pair = loaded.params["generator"], loaded.state.ema["generator"]["params"]
    for a, b in zip(*map(jax.tree.leaves, pair), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_training_goes_on_from_converted_weights(tmp_path):
    """In the folder itself, with data; its terms stay in the record."""
    smoke = ("--config=stylegan2_ada:smoke", "--config.data.name=textures_16", "--config.data.split=train[:64]")
    off = (
        "penalty.separate_step=False",
        "penalty.before_augmentation=False",
        "penalty.r1=0.0",
        "path_length.weight=0.0",
    )
    plain = [f"--config.{key}" for key in off]
    done = convert(tmp_path, "--license=mine", *smoke, *plain, augment_pipe=None)
    assert done.code == 0, done.err
    done = run("genjax.train", f"--workdir={tmp_path / 'run'}")
    assert done.code == 0, done.err
    assert "going on from step 0" in done.err
    info = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (info["weights"]["license"], info["saved"]) == ("mine", 4)
    before, after = (genjax.load(tmp_path / "run", step).params["critic"] for step in (0, 4))
    moved = np.abs(before["Dense_0"]["kernel"] - after["Dense_0"]["kernel"]).max()
    assert 0 < moved < 0.05  # four steps of Adam
