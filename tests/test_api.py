"""genjax as a library: the code of docs/library.md runs, and every name, array and config is checked or found."""

import pkgutil
import re
import subprocess
import sys
import tomllib
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import ROOT, config_of, run

import genjax
from genjax import config_files
from genjax.config import flat
from genjax.errors import InputError, NotApplicable
from genjax.evaluation.of_run import Choices
from genjax.run.recorder import Recorder

PAGE = (ROOT / "docs" / "library.md").read_text("utf-8")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The variables after the code of docs/library.md, by section."""
    sections = []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("library"))
        patch.setattr(Recorder, "report", lambda self: None)
        names = {}
        for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
            exec(code, names)
            sections.append(SimpleNamespace(**{k: v for k, v in names.items() if not k.startswith("__")}))
        yield sections


# -- names


def test_the_names_are_no_modules_and_always_the_same():
    modules = {module.name for module in pkgutil.iter_modules(genjax.__path__)}
    assert not modules & set(genjax.__all__)
    assert set(genjax.__all__) <= set(dir(genjax))
    from genjax import api

    assert api.__all__ == genjax.__all__
    for name in genjax.__all__:
        assert getattr(genjax, name) is getattr(api, name)
        assert getattr(api, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        genjax.lod  # noqa: B018


@pytest.mark.heavy
def test_importing_genjax_imports_nothing():
    code = "import sys, genjax; print([name for name in sys.modules if name.startswith(('genjax.', 'jax', 'numpy'))])"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True).stdout == "[]\n"


# -- configs


def test_a_config_is_found_by_its_name_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("dcgan", "dcgan.py", "configs/dcgan.py"):
        assert flat(genjax.load_config(f"{name}:smoke")) == flat(config_of("dcgan"))
        assert config_files.located(f"{name}:smoke") == f"{ROOT / 'configs' / 'dcgan.py'}:smoke"
    changed = genjax.load_config("gan", {"data.name": "ring8", "optimizer.critic.b1": 0.1}, steps=7)
    assert (changed.data.name, changed.optimizer.critic.b1, changed.steps) == ("ring8", 0.1, 7)


def test_a_file_of_ones_own_comes_before_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = (ROOT / "configs" / "gan.py").read_text("utf-8")
    (tmp_path / "dcgan.py").write_text(source, "utf-8")
    assert config_files.located("dcgan.py:smoke") == "dcgan.py:smoke"
    assert genjax.load_config("dcgan.py:smoke").generator.net == "mlp"
    assert genjax.load_config("dcgan:smoke").generator.net == "dcgan"  # without an ending it is a name


@pytest.mark.parametrize(
    ("name", "keys", "text"),
    [
        ("dcgann", {}, "dcgann: no such config (did you mean 'dcgan'?); choose from ae_conv, "),
        ("configs/dcgann.py", {}, "no such config"),
        ("dcgan:smok", {}, "no 'smok' (did you mean 'smoke'?)"),
        ("dcgan", {"step": 3}, "unknown key 'step' (did you mean 'steps'?)"),
        ("dcgan", {"steps": "many"}, "steps='many': expected int"),
        ("dcgan", {"overrides": {"dat.name": "x"}}, "the config has no part 'dat'"),
    ],
)
def test_a_config_or_key_that_there_is_not_is_named(name, keys, text):
    with pytest.raises(InputError, match=re.escape(text)):
        genjax.load_config(name, **keys)


@pytest.mark.heavy
def test_commands_find_a_config_by_its_name(tmp_path):
    assert run("genjax.train", "--config=gan:smoke", "--dry_run", "--config.steps=7").out.count("steps = 7") == 1
    run("genjax.train", "--config=gann", "--dry_run").assert_refused(
        "--config=gann: no such file (did you mean 'gan'?)"
    )


# -- a run


@pytest.mark.heavy
def test_the_page_runs(page):
    gan, autoencoder = page
    assert gan.x.shape == (16, 28, 28, 1)
    assert gan.found.images.shape == (2, 28, 28, 1)
    assert gan.result.protocol["samples"]["count"] == 100
    assert gan.result.numbers.keys() == {"Sliced Wasserstein distance"}
    assert re.fullmatch(r"<runs/x: gan at step 3; sample, .*>", repr(gan.run))
    assert "generator" in gan.run.params
    assert autoencoder.y.shape == autoencoder.x.shape == (8, 28, 28, 1)
    assert autoencoder.y.dtype == np.uint8
    assert len(autoencoder.z) == 8


@pytest.mark.heavy
def test_arrays_and_names_that_do_not_fit_are_refused(page):
    gan, autoencoder = page
    x = autoencoder.x
    for wrong in (x[0], x[:0], x / 255, x[:, :14]):
        for function in (autoencoder.run.encode, autoencoder.run.reconstruct):
            with pytest.raises(InputError, match=r"expected uint8 \[N, 28, 28, 1\]"):
                function(wrong)
    for call in (lambda: gan.run.encode(x), lambda: gan.run.apply("map", x), lambda: autoencoder.run.sample([0])):
        with pytest.raises(NotApplicable, match="has no output"):
            call()
    for seeds in ([], [-1], 2**31):
        with pytest.raises(InputError, match="seeds: expected one or more"):
            gan.run.sample(seeds)
    with pytest.raises(InputError, match="the run has no classes"):
        gan.run.sample([0], label="Bag")
    with pytest.raises(InputError, match="space='x'"):
        gan.run.project(x, space="x")
    with pytest.raises(InputError, match="evaluate: no 'sample'; choose from reference"):
        gan.run.evaluate("swd", sample=3)
    with pytest.raises(InputError, match="no 'swdd'"):
        gan.run.evaluate(["swdd"])
    with pytest.raises(InputError, match="is not a run's folder"):
        genjax.load("nowhere")
    assert "samples" in Choices._fields


@pytest.mark.heavy
def test_a_fault_and_an_interruption_of_training_are_exceptions(tmp_path, monkeypatch):
    from genjax import api

    for code, error in ((1, RuntimeError), (130, KeyboardInterrupt)):
        monkeypatch.setattr(api, "train", lambda *_, code=code: code)
        with pytest.raises(error, match=str(tmp_path)):
            genjax.train_run("gan:smoke", tmp_path)


def test_a_backup_is_in_object_storage(tmp_path):
    with pytest.raises(InputError, match="expected gs://BUCKET/FOLDER"):
        genjax.train_run("gan:smoke", tmp_path / "run", backup="s3://x")
    assert not (tmp_path / "run").exists()


def test_an_installed_package_holds_the_configs():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"] == {"configs": "genjax/configs"}
    assert config_files.PACKAGE / "configs" == ROOT / "genjax" / "configs"
    assert config_files.names() == sorted(path.stem for path in (ROOT / "configs").glob("*.py"))
