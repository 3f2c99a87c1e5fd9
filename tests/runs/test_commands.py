"""The commands as typed: help, plans, and mistakes answered in a line or two before anything is compiled."""

import os
import shutil
from functools import partial
from pathlib import Path

import pytest
from helpers import ROOT, Program, assert_same, config_of, ending, run, without_report

from genjax import tasks
from genjax.config import flat

GAN = "--config=configs/gan.py:smoke"
CLASSIFIER = "--config=configs/classifier.py:smoke"


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("genjax.train", ["config", "workdir", "resume", "dry_run", "tensorboard"]),
        ("genjax.sample", ["workdir", "seeds", "out", "step", "ema", "truncation", "columns"]),
    ],
)
def test_help_tells_of_every_flag(module, names):
    done = run(module, "--help")
    assert f"python -m {module} --" in done.out  # an example
    for name in names:
        assert f"--{name}" in done.out or f"--[no]{name}" in done.out, name


def test_the_net_of_evaluations_is_opened_without_compiling():
    done = run("genjax.train", GAN, "--dry_run", "--config.eval.best=frechet", "--config.eval.every=2")
    assert (done.code, done.compiled) == (0, 0), done.err


def test_dry_run_prints_config_parameters_phases_and_memory_and_writes_nothing(tmp_path):
    workdir = tmp_path / "run"
    done = run("genjax.train", "--config=configs/dcgan.py", "--dry_run", "--config.steps=777", f"--workdir={workdir}")
    assert done.code == 0
    assert not workdir.exists()
    assert done.compiled == 0
    keys = {line.split(" = ")[0] for line in done.out.splitlines() if " = " in line}
    assert keys == set(flat(config_of("dcgan", "")))
    assert "steps = 777" in done.out
    rows = [line.split() for line in done.out.splitlines()]
    # The textbook's generator by hand: 100 x 6272 + 6272, BN 2 x 128, 5 x 5 x 128 x 64 + 64, BN 2 x 64, 5 x 5 x 64 + 1;
    # its critic: 5 x 5 x 64 + 64, 5 x 5 x 64 x 128 + 128, 7 x 7 x 128 + 1.
    assert ["generator,", "all", f"{100 * 6272 + 6272 + 256 + 25 * 128 * 64 + 64 + 128 + 25 * 64 + 1:,}"] in rows
    assert ["critic,", "all", f"{25 * 64 + 64 + 25 * 64 * 128 + 128 + 49 * 128 + 1:,}"] in rows
    assert ["train", "0", "to", "777", "32", "1", f"{777 * 32:,}"] in rows
    assert any(row[:1] == ["state,"] and row[-1] == "MiB" for row in rows)
    assert "10,000 examples of shape [28, 28, 1]" in done.out


# -- mistakes


def _files(folder: Path) -> None:
    """Data sets and configs that are wrong."""
    from PIL import Image

    for name in ("empty", "texts", "torn", "plain"):
        (folder / name).mkdir()
    (folder / "texts" / "notes.txt").write_text("no image")
    for i in range(9):
        for name in ("torn", "plain"):
            Image.effect_noise((28, 28), 50).save(folder / name / f"{i}.png")
    data = (folder / "torn" / "5.png").read_bytes()
    (folder / "torn" / "5.png").write_bytes(data[: len(data) // 2])
    config = (ROOT / "configs" / "gan.py").read_text()
    (folder / "misspelt.py").write_text(config.replace("c.latent = 30", "c.lattent = 30"))
    (folder / "broken.py").write_text("def get_config(:\n")
    (folder / "file").write_text("in the way")


@pytest.fixture(scope="module")
def wrong(tmp_path_factory):
    """Their folder."""
    folder = tmp_path_factory.mktemp("wrong")
    _files(folder)
    return folder


MISTAKES = {
    "a misspelt key": ([GAN, "--config.stepz=5"], ["no key 'stepz'", "did you mean 'steps'"]),
    "a misspelt key of a part": ([GAN, "--config.data.nam=x"], ["no key", "nam"]),
    "a key like no other": ([GAN, "--config.xyzzy=5"], ["no key 'xyzzy'", "--dry_run lists all"]),
    "a misspelt key in a config file": (["--config={}/misspelt.py"], ["lattent", "did you mean", "latent"]),
    "a field that the net lacks": ([GAN, "--config.critic.width=(3,)"], ["width", "did you mean", "widths"]),
    "a word for a number": ([GAN, "--config.steps=many"], ["steps", "many"]),
    "a fraction for a count": ([GAN, "--config.steps=1.5"], ["steps", "1.5"]),
    "negative steps": ([GAN, "--config.steps=-3"], ["steps=-3", "at least 1"]),
    "no rows at all": ([GAN, "--config.log_every=0"], ["log_every=0", "at least 1"]),
    "a negative seed": ([GAN, "--config.seed=-1"], ["seed=-1"]),
    "a net that does not exist": ([GAN, "--config.generator.net=mpl"], ["'mpl'", "did you mean 'mlp'"]),
    "a loss that does not exist": ([GAN, "--config.loss.name=hinj"], ["'hinj'", "did you mean 'hinge'"]),
    "an optimizer that does not exist": ([GAN, "--config.optimizer.critic.name=adm"], ["'adm'", "did you mean 'adam'"]),
    "a task that does not exist": ([GAN, "--config.task=gam"], ["'gam'", "did you mean 'gan'"]),
    "pixels for points": ([GAN, "--config.data.name=ring8"], ["points", "generator.output"]),
    "a batch larger than the data": (
        [GAN, "--config.batch=16", "--config.data.split=train[:10]"],
        ["batch=16 is more than the 10 examples"],
    ),
    "a data set that does not exist": (
        [GAN, "--config.data.name=fashion_mnist_10"],
        ["'fashion_mnist_10'", "did you mean 'fashion_mnist_10k'"],
    ),
    "a split that does not exist": ([GAN, "--config.data.split=trian"], ["'trian'", "did you mean 'train'"]),
    "an empty split": ([GAN, "--config.data.split=train[5:5]"], ["selects nothing"]),
    "a folder that does not exist": ([GAN, "--config.data.name=folder:{}/none"], ["{}/none does not exist"]),
    "a folder that is a file": ([GAN, "--config.data.name=folder:{}/file"], ["{}/file is a file"]),
    "an empty folder": ([GAN, "--config.data.name=folder:{}/empty"], ["{}/empty is empty"]),
    "a folder without images": ([GAN, "--config.data.name=folder:{}/texts"], ["has no image among"]),
    "a truncated image": ([GAN, "--config.data.name=folder:{}/torn"], ["{}/torn/5.png"]),
    "a classifier of unlabeled data": (
        [CLASSIFIER, "--config.data.name=folder:{}/plain"],
        ["classes=10, but folder:{}/plain has no labels", "sort images into folders"],
    ),
    "labels beyond the classes": (
        [CLASSIFIER, "--config.classes=9"],
        ["classes=9", "the labels of fashion_mnist_10k go from 0 to 9: expected 0 to 8; set classes=10"],
    ),
    "more classes than the data have": (
        [CLASSIFIER, "--config.classes=12"],
        ["classes=12, but fashion_mnist_10k has 10 (T-shirt/top, Trouser,", "set classes=10"],
    ),
    "a class without examples": (
        [CLASSIFIER, "--config.data.split=train[:9]"],
        ["fashion_mnist_10k train[:9] has no example of 'Trouser' and", "choose a split with examples of every class"],
    ),
    "an evaluation by no metric": (
        [GAN, "--config.eval.every=2", "--config.eval.metrics=frechett"],
        ["no 'frechett'", "did you mean 'frechet'"],
    ),
    "an evaluation by no net": ([GAN, "--config.eval.every=2", "--config.eval.features=vgg"], ["vgg", "squeezenet"]),
    "an evaluation of one sample": ([GAN, "--config.eval.samples=1"], ["samples=1", "samples >= 2"]),
    "an evaluation in no time": ([GAN, "--config.eval.budget=0.0"], ["budget=0.0", "budget > 0"]),
    "no config": ([], ["--config is needed"]),
    "a config file that does not exist": (["--config=configs/dcgam.py"], ["no such file", "configs/dcgan.py"]),
    "a config file that is not Python": (["--config={}/broken.py"], ["invalid syntax", "broken.py, line 1"]),
    "a variant that does not exist": (["--config=configs/gan.py:smoky"], ["'smoky'", "did you mean 'smoke'"]),
    "a misspelt flag": ([GAN, "--workdri=x"], ["no flag --workdri", "did you mean 'workdir'"]),
    "a value without its flag": ([GAN, "runs/x"], ["'runs/x' is not a flag"]),
    "a choice that --resume has not": ([GAN, "--resume=maybe"], ["resume", "auto"]),
    "a workdir below a file": ([GAN, "--workdir={}/file/run"], ["--workdir={}/file/run cannot be written"]),
    "a workdir that cannot be made": ([GAN, "--workdir=/proc/run"], ["--workdir=/proc/run cannot be written"]),
    "an empty workdir": ([GAN, "--workdir="], ["--workdir is needed"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_in_two_lines_before_anything_is_compiled(mistake, wrong, tmp_path):
    arguments, texts = MISTAKES[mistake]
    given = [f"--workdir={tmp_path / 'run'}", *(argument.replace("{}", str(wrong)) for argument in arguments)]
    result = run("genjax.train", *given)
    result.assert_refused(*(text.replace("{}", str(wrong)) for text in texts))
    assert result.err.startswith("error: ")
    assert not (tmp_path / "run").exists()


def test_a_batch_that_the_devices_cannot_share_is_refused_with_ones_that_they_can(tmp_path):
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=4"}
    done = run("genjax.train", GAN, "--config.batch=10", f"--workdir={tmp_path / 'run'}", **flags)
    done.assert_refused("batch=10 does not divide by the 4 devices: use batch=8 or 12")
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_named(tmp_path):
    (tmp_path / "closed").mkdir(mode=0o000)
    done = run("genjax.train", GAN, f"--config.data.name=folder:{tmp_path / 'closed'}", f"--workdir={tmp_path / 'run'}")
    done.assert_refused(f"{tmp_path / 'closed'} cannot be read")


# -- a folder that has a run


@pytest.fixture(scope="module")
def trained(tmp_path_factory, images):
    """A finished run, never to be changed."""
    path = tmp_path_factory.mktemp("trained")
    done = run("genjax.train", GAN, f"--config.data.name=folder:{images}", f"--workdir={path}", before=without_report)
    assert done.code == 0, done.err
    return path


@pytest.fixture
def copy(trained, tmp_path):
    """The same, to be changed."""
    return shutil.copytree(trained, tmp_path / "copy")


def test_another_config_on_a_run_is_refused_with_the_difference_unless_forced(copy, images):
    given = [GAN, f"--config.data.name=folder:{images}", f"--workdir={copy}", "--config.steps=5", "--config.seed=3"]
    before = (copy / "config.json").read_text()
    refused = run("genjax.train", *given)
    refused.assert_refused("holds a run of another config", "steps: 4 -> 5", "seed: 0 -> 3", "--resume=force", lines=4)
    assert (copy / "config.json").read_text() == before
    forced = run("genjax.train", *given, "--resume=force", before=without_report)
    assert forced.code == 0, forced.err
    assert "going on from step 4" in forced.err


def test_other_data_under_the_same_name_are_refused(tmp_path, images):
    own = shutil.copytree(images, tmp_path / "own")
    given = [GAN, f"--config.data.name=folder:{own}", f"--workdir={tmp_path / 'run'}"]
    assert run("genjax.train", *given, before=without_report).code == 0
    shutil.copy(own / "00.png", own / "01.png")
    run("genjax.train", *given).assert_refused("data.fingerprint: ", lines=3)


def test_a_config_json_that_is_not_json_is_named(copy):
    (copy / "config.json").write_text('{"config": ')
    run("genjax.train", f"--workdir={copy}").assert_refused(f"{copy}/config.json is unreadable")


SAMPLING = {
    "no folder": (["--workdir="], ["is not a run's folder"]),
    "a folder without a run": (["--workdir={}/.."], ["is not a run's folder"]),
    "a step without a checkpoint": (["--workdir={}", "--step=3"], ["no checkpoint of step 3; it has 2, 4"]),
    "a negative step": (["--workdir={}", "--step=-1"], ["step"]),
    "seeds that are words": (["--workdir={}", "--seeds=all"], ["--seeds=all: expected numbers and ranges"]),
    "seeds backwards": (["--workdir={}", "--seeds=9-3"], ["--seeds=9-3"]),
    "a seed beyond 31 bits": (["--workdir={}", "--seeds=2147483648"], ["--seeds=2147483648"]),
    "more seeds than memory": (["--workdir={}", "--seeds=0-2147483647"], ["--seeds=0-2147483647"]),
    "a kind of file unknown": (["--workdir={}", "--out=x.jpg"], ["--out=x.jpg", ".png"]),
    "no truncation at all": (["--workdir={}", "--truncation=0"], ["--truncation=0", "above 0"]),
    "a misspelt flag": (["--workdir={}", "--seed=3"], ["no flag --seed", "did you mean 'seeds'"]),
    "no workdir": ([], ["workdir"]),
}


@pytest.mark.parametrize("mistake", SAMPLING)
def test_a_mistake_in_sampling_is_named_in_two_lines(mistake, trained):
    arguments, texts = SAMPLING[mistake]
    run("genjax.sample", *(argument.replace("{}", str(trained)) for argument in arguments)).assert_refused(*texts)


def test_a_sample_that_cannot_be_written_is_named(trained, tmp_path):
    (tmp_path / "file").write_text("in the way")
    done = run("genjax.sample", f"--workdir={trained}", "--seeds=0", f"--out={tmp_path}/file/grid.png")
    assert done.code == 2
    assert f"--out={tmp_path}/file/grid.png cannot be written" in done.err
    assert "Traceback" not in done.err


def test_a_damaged_checkpoint_is_named_by_sample_and_the_one_before_it_used(copy, tmp_path):
    (copy / "checkpoints" / "00000004" / "manifest.json").unlink()
    done = run("genjax.sample", f"--workdir={copy}", "--seeds=0", f"--out={tmp_path}/grid.png")
    assert done.code == 0
    assert "00000004 is damaged" in done.err
    asked = run("genjax.sample", f"--workdir={copy}", "--seeds=0", f"--out={tmp_path}/grid.png", "--step=4")
    asked.assert_refused("00000004 is damaged")


def test_a_compilation_cache_of_torn_files_does_not_break_a_run(tmp_path):
    train = partial(Program, "genjax.train", GAN, before=own_cache, GENJAX_TEST_CACHE=str(tmp_path / "cache"))
    assert train(f"--workdir={tmp_path / 'first'}").wait().code == 0
    entries = list((tmp_path / "cache").glob("*-cache"))
    assert entries
    for i, path in enumerate(entries):
        os.truncate(path, 0 if i % 2 else path.stat().st_size // 2)
    done = train(f"--workdir={tmp_path / 'second'}").wait()
    assert done.code == 0, done.err
    assert "Traceback" not in done.err
    assert_same(ending(tmp_path / "second"), ending(tmp_path / "first"))


def own_cache():
    """A cache that no other test reads; JAX reads its environment when it is imported, which it has been."""
    import jax

    jax.config.update("jax_compilation_cache_dir", os.environ["GENJAX_TEST_CACHE"])
    without_report()


def test_output_into_a_closed_pipe_ends_quietly():
    program = Program("genjax.train", GAN, "--dry_run", before=close_stdout)
    assert "Traceback" not in program.wait().err


def close_stdout():
    """As `| head -0` does."""
    reader, writer = os.pipe()
    os.close(reader)
    os.dup2(writer, 1)


def test_every_task_has_a_config_that_says_its_name():
    assert tasks.default_config("gan").task == "gan"
