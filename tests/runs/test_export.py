"""Exported folders: the run's outputs to the bit, without Orbax; programs without genjax; mistakes in a line."""

import dataclasses
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

import jax
import numpy as np
import pytest
from helpers import ROOT, config_of, fashion, run, saved_run
from PIL import Image
from safetensors.numpy import load_file, save_file

import genjax
from genjax import projection, tasks
from genjax.engine.loop import abstract_state, initial_state
from genjax.engine.mesh import make_mesh
from genjax.errors import InputError
from genjax.run import export as exporting
from genjax.run import exported, initial_weights
from genjax.run.export import Choices, export
from genjax.run.training import train

pytestmark = pytest.mark.heavy

MIT = Choices("mit", programs=False)
CHANNELS = {"generator__channels": (6, 4), "critic__channels": (6, 4)}
AVERAGED = {"ema__half_life": 100.0}
SMALL = {"data__size": "8", "data__resize": "squash", "generator__layers": 2} | CHANNELS
OVERRIDES = {"gan": AVERAGED, "stylegan2": SMALL}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Name -> a run's folder, and that of its export."""
    root = tmp_path_factory.mktemp("exports")
    made = {}
    for name in ("gan", "vae", "vqvae", "stylegan2"):
        folder = saved_run(name, root / name, **OVERRIDES.get(name, {}))
        export(folder, root / f"{name} out", None, MIT)
        made[name] = folder, root / f"{name} out"
    return made


@pytest.fixture
def exported_gan(pairs, tmp_path):
    """A copy of a GAN's export, to be damaged."""
    return shutil.copytree(pairs["gan"][1], tmp_path / "gan")


# -- the same outputs


@pytest.mark.parametrize("name", ["gan", "vae", "vqvae", "stylegan2"])
def test_outputs_are_those_of_the_run_to_the_bit(pairs, name):
    original, loaded = map(genjax.load, pairs[name])
    assert loaded.task.outputs.keys() == original.task.outputs.keys()
    same = []
    if "sample" in loaded.task.outputs:
        options = [{}, {"truncation": 0.5}, *([{"noise": "random"}] if name == "stylegan2" else [])]
        same += [[r.sample(range(4), **chosen) for r in (original, loaded)] for chosen in options]
    if "encode" in loaded.task.outputs:
        x = fashion("test[:4]").read(range(4))
        z = [r.encode(x) for r in (original, loaded)]
        same += [z, [r.reconstruct(x) for r in (original, loaded)], [r.decode(z[0]) for r in (original, loaded)]]
    for expected, got in same:
        assert got.dtype == expected.dtype
        np.testing.assert_array_equal(got, expected)
        assert expected.std() > 0


def test_examples_of_sixteen_bits_are_inputs_of_sixteen_bits(tmp_path):
    """The programs and the code of the card take what the run takes."""
    pytest.importorskip("flatbuffers")
    from jax import export as jax_export

    folder = saved_run("vae", tmp_path / "run", data__bits=16)
    export(folder, tmp_path / "out", None, MIT._replace(programs=True))
    x = np.random.default_rng(0).integers(0, 65536, (3, 28, 28, 1), np.uint16)
    original, loaded = genjax.load(folder), genjax.load(tmp_path / "out")
    z = original.encode(x)
    np.testing.assert_array_equal(loaded.encode(x), z)
    np.testing.assert_array_equal(loaded.sample(range(3)), original.sample(range(3)))
    program = jax_export.deserialize(bytearray((tmp_path / "out" / "stablehlo" / "encode.bin").read_bytes()))
    np.testing.assert_allclose(program.call(load_file(tmp_path / "out" / exported.FILE), x), z, rtol=0, atol=1e-5)
    assert 'x = np.zeros((16, 28, 28, 1), "uint16")' in (tmp_path / "out" / "README.md").read_text("utf-8")


def test_projection_and_evaluation_are_those_of_the_run(pairs, monkeypatch):
    squares = lambda x, y: ((x - y) ** 2).mean((1, 2, 3))  # noqa: E731  in place of a net
    monkeypatch.setattr(projection, "perceptual_distance", lambda: squares)
    original, loaded = map(genjax.load, pairs["gan"])
    x = fashion("test[:2]").read(range(2))
    expected, got = (r.project(x, steps=2) for r in (original, loaded))
    for one, other in zip(jax.tree.leaves(tuple(expected)), jax.tree.leaves(tuple(got)), strict=True):
        np.testing.assert_array_equal(one, other)
    (expected,), (got,) = (r.evaluate("swd", samples=64, split="train[:64]") for r in (original, loaded))
    assert got.numbers == expected.numbers
    assert got.protocol == expected.protocol


def test_a_folder_is_opened_without_orbax_and_by_the_commands(pairs, tmp_path):
    folder, out = pairs["gan"]
    code = f"import sys, genjax, numpy; x = genjax.load({str(out)!r}).sample(range(4)); numpy.save('x.npy', x)"
    code += "; print([name for name in sys.modules if name.startswith('orbax')])"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True)
    assert done.stdout == b"[]\n", done.stderr
    done = run("genjax.sample", f"--workdir={out}", "--seeds=0-3", f"--out={tmp_path}/y.npy")
    assert done.code == 0, done.err
    for name in ("x.npy", "y.npy"):
        np.testing.assert_array_equal(np.load(tmp_path / name), genjax.load(folder).sample(range(4)))


def test_a_run_begins_with_exported_weights(pairs):
    folder, out = pairs["gan"]
    config = config_of("gan", **AVERAGED, init__weights=str(out), init__only="generator")
    task = tasks.build(config, (28, 28, 1))
    initial = initial_weights.find(config, abstract_state(task, make_mesh()))
    averages = genjax.load(folder).state.ema["generator"]["params"]
    state = initial.into(initial_state(task, 0, make_mesh()))
    for got in (state.nets["generator"].params, state.ema["generator"]["params"]):
        jax.tree.map(np.testing.assert_array_equal, got, averages)


@pytest.mark.parametrize("name", ["gan", "vae", "vqvae"])
def test_the_code_of_the_card_runs(pairs, name):
    card = (pairs[name][1] / "README.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    variables = {}
    exec(code.replace("DIR", str(pairs[name][1])), variables)
    made = [variables[variable] for variable in ("images", "y") if variable in variables]
    assert len(made) == 1 + (name == "vae")
    assert {x.shape for x in made} == {(16, 28, 28, 1)}


# -- what is written


def test_the_averaged_generator_alone_is_written_or_the_whole_state(pairs, tmp_path):
    folder, out = pairs["gan"]
    state = genjax.load(folder).state
    tensors = load_file(out / exported.FILE)
    averages = {f"ema.generator.{name}": a for name, a in _named(state.ema["generator"]).items()}
    assert tensors.keys() == averages.keys() | {"step"}
    for name, a in averages.items():
        np.testing.assert_array_equal(tensors[name], a)
    loaded = genjax.load(out)
    with pytest.raises(InputError, match="--nets=all"):
        loaded.sample([0], ema=False)
    export(folder, tmp_path / "all", 7, MIT._replace(weights="all"))
    restored = genjax.load(tmp_path / "all")
    assert jax.tree.structure(restored.state) == jax.tree.structure(state)
    for got, expected in zip(jax.tree.leaves(restored.state), jax.tree.leaves(state), strict=True):
        np.testing.assert_array_equal(got, expected)
    np.testing.assert_array_equal(restored.sample([3], ema=False), genjax.load(folder).sample([3], ema=False))


def _named(tree):
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {".".join(entry.key for entry in path): leaf for path, leaf in leaves}


def test_statistics_and_codebooks_are_written(pairs):
    assert "ema.generator.average.mapping.w_avg" in load_file(pairs["stylegan2"][1] / exported.FILE)
    names = set(load_file(pairs["vqvae"][1] / exported.FILE))
    assert {f"nets.vqvae.stats.codebook.{part}" for part in ("codes", "counts", "sums")} <= names
    assert not any(".opt." in name for name in names)


def test_nothing_of_the_machine_is_written(pairs):
    folder, out = pairs["gan"]
    info = json.loads((out / "config.json").read_text("utf-8"))
    assert "folder" in json.loads((folder / "config.json").read_text("utf-8"))
    assert not {"folder", "skipped", "saved"} & info.keys()
    for path in ("config.json", "README.md"):
        assert str(folder.parent) not in (out / path).read_text("utf-8")


def test_a_preview_of_examples_is_in_the_card_unless_they_are_private(denoiser, tmp_path):
    export(denoiser, tmp_path / "out", 4, MIT)
    assert "![Originals over corrupted over restored](examples.png)" in (tmp_path / "out" / "README.md").read_text()
    with Image.open(tmp_path / "out" / "examples.png") as got, Image.open(_preview(denoiser)) as expected:
        np.testing.assert_array_equal(got, expected)
    own = shutil.copytree(denoiser, tmp_path / "own")
    info = json.loads((own / "config.json").read_text("utf-8"))
    info["data"]["name"] = "folder:mine"
    (own / "config.json").write_text(json.dumps(info))
    export(own, tmp_path / "private", 4, MIT._replace(data_license="mine"))
    assert {path.name for path in (tmp_path / "private").iterdir()} == {"README.md", "config.json", exported.FILE}
    assert "| License | mine |" in (tmp_path / "private" / "README.md").read_text()


def _preview(run_folder):
    return run_folder / "samples" / "step_00000004.png"


def test_a_fault_leaves_no_folder(pairs, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "card", lambda facts: 1 / 0)
    (tmp_path / "out").mkdir()
    with pytest.raises(ZeroDivisionError):
        export(pairs["vae"][0], tmp_path / "out", None, MIT)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert not any((tmp_path / "out").iterdir())


# -- programs


@pytest.fixture(scope="module")
def programs(pairs, tmp_path_factory):
    """Name -> a run's folder, and that of its export with programs."""
    pytest.importorskip("flatbuffers")
    root = tmp_path_factory.mktemp("programs")
    for name in ("stylegan2", "vqvae"):
        export(pairs[name][0], root / name, None, Choices("mit", programs=True))
    return {name: (pairs[name][0], root / name) for name in ("stylegan2", "vqvae")}


@pytest.mark.parametrize(("name", "output"), [("stylegan2", "sample"), ("vqvae", "decode")])
def test_programs_run_without_genjax_for_any_batch(programs, name, output, tmp_path):
    """The code of the card, in a process with JAX alone."""
    folder, out = programs[name]
    card = (out / "README.md").read_text("utf-8")
    (code,) = (c for c in re.findall(r"```python\n(.*?)```", card, re.DOTALL) if "import genjax" not in c)
    code = "import sys\n" + code.replace("DIR/", f"{out}/") + "assert 'genjax' not in sys.modules\nnp.save('y.npy', y)"
    code += "\nnp.save('one.npy', program.call(weights, x[:1]))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    x = np.arange(16, dtype=np.int32) if output == "sample" else np.zeros((16, 7, 7), np.int32)
    expected = np.float64(genjax.load(folder).apply(output, x))
    for got in (np.load(tmp_path / "y.npy"), np.load(tmp_path / "one.npy")):
        # In the other forms a pixel may fall on the other side of a half.
        np.testing.assert_allclose(got, expected[: len(got)], rtol=0, atol=1 if output == "sample" else 255e-6)


def test_programs_of_floats_equal_the_outputs(programs):
    """All backends' program, by the plain forms of convolutions, against the forms of this backend."""
    from jax import export as jax_export

    folder, out = programs["stylegan2"]
    program = jax_export.deserialize(bytearray((out / "stablehlo" / "decode.bin").read_bytes()))
    assert program.platforms == ("cpu", "cuda", "tpu")
    original = genjax.load(folder)
    z = original.apply("latents", np.arange(3, dtype=np.int32))
    got = program.call(load_file(out / exported.FILE), z)
    expected = original.apply("decode", z)
    np.testing.assert_allclose(got, expected, rtol=0, atol=2e-6 * np.abs(expected).max())


def test_onnx_models_equal_the_outputs_for_any_batch(pairs, tmp_path):
    for module in ("jax2onnx", "onnxruntime"):
        pytest.importorskip(module)
    import onnxruntime

    export(pairs["vae"][0], tmp_path / "out", None, MIT._replace(onnx=True))
    original = genjax.load(pairs["vae"][0])
    x = fashion("test[:5]").read(range(5))
    inputs = {"encode": x, "reconstruct": x, "decode": original.encode(x)}
    assert {path.stem for path in (tmp_path / "out" / "onnx").iterdir()} == inputs.keys()
    for name, x in inputs.items():
        session = onnxruntime.InferenceSession(tmp_path / "out" / "onnx" / f"{name}.onnx")
        expected = original.apply(name, x)
        for count in (1, 5):
            (got,) = session.run(None, {session.get_inputs()[0].name: x[:count]})
            np.testing.assert_allclose(got, expected[:count], rtol=0, atol=1e-5 * np.abs(expected).max())
    assert "`onnx/decode.onnx`, `onnx/encode.onnx`, `onnx/reconstruct.onnx`" in (tmp_path / "out/README.md").read_text()


def test_a_model_that_differs_is_refused(pairs, tmp_path, monkeypatch):
    from genjax.run import onnx_models

    monkeypatch.setattr(onnx_models, "need", lambda: None)
    monkeypatch.setattr(onnx_models, "_convert", lambda *_: b"")
    for difference in (1.1e-5, float("nan")):
        monkeypatch.setattr(onnx_models, "_difference", lambda *_, value=difference: value)
        with pytest.raises(InputError, match=f"the model of 'decode' differs from the output by {difference:.1e}"):
            export(pairs["vae"][0], tmp_path / "out", None, MIT._replace(onnx=True))
    monkeypatch.setattr(onnx_models, "_convert", lambda *_: 1 / 0)
    with pytest.raises(InputError, match="jax2onnx cannot convert the output 'decode': division by zero"):
        export(pairs["vae"][0], tmp_path / "out", None, MIT._replace(onnx=True))
    assert not list(tmp_path.iterdir())


# -- damage


def _rewrite(folder, change) -> None:
    """Change the tensors of a folder, whose digest is made to fit."""
    tensors = load_file(folder / exported.FILE)
    change(tensors)
    save_file(tensors, folder / exported.FILE)
    info = json.loads((folder / "config.json").read_text("utf-8"))
    info["export"]["sha256"] = hashlib.sha256((folder / exported.FILE).read_bytes()).hexdigest()
    (folder / "config.json").write_text(json.dumps(info))


def test_damaged_files_are_refused(exported_gan):
    file = exported_gan / exported.FILE
    content = file.read_bytes()
    flipped = bytearray(content)
    flipped[-3] ^= 1
    for damaged in (content[:-1], content[:40], b"", bytes(flipped)):
        file.write_bytes(damaged)
        with pytest.raises(InputError, match="is damaged: it is not what was exported"):
            genjax.load(exported_gan)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda t: t.pop("step"), "lacks a tensor of its config: step"),
        (lambda t: t.update(more=np.zeros(2)), "has a tensor more than its config describes: more"),
        (lambda t: t.update(step=np.zeros(2, np.int32)), r"step is int32 \[2\], but its config describes int32 \[\]"),
        (lambda t: t.update(step=np.float32(7)[...]), r"step is float32 \[\], but its config describes int32 \[\]"),
    ],
)
def test_tensors_that_do_not_fit_are_named(exported_gan, change, text):
    _rewrite(exported_gan, change)
    with pytest.raises(InputError, match=text):
        genjax.load(exported_gan)


def test_a_config_that_does_not_fit_is_refused(exported_gan):
    info = json.loads((exported_gan / "config.json").read_text("utf-8"))
    info["config"]["latent"] += 1
    (exported_gan / "config.json").write_text(json.dumps(info))
    with pytest.raises(InputError, match=r"is float32 \[.*\], but its config describes float32 \["):
        genjax.load(exported_gan)
    del info["export"]
    (exported_gan / "config.json").write_text(json.dumps(info))
    with pytest.raises(InputError, match=r"does not describe model\.safetensors"):
        genjax.load(exported_gan)


# -- mistakes


@pytest.fixture(scope="module")
def wrong(pairs, tmp_path_factory, images):
    """Folders that cannot be exported from or to."""
    root = tmp_path_factory.mktemp("wrong")
    shutil.copytree(pairs["gan"][0], root / "run")
    shutil.copytree(pairs["gan"][1], root / "exported")
    shutil.copytree(root / "run", root / "empty", ignore=lambda *_: ["checkpoints"])
    info = json.loads((root / "run" / "config.json").read_text("utf-8"))
    info["data"]["name"] = f"folder:{images}"
    (shutil.copytree(root / "run", root / "own") / "config.json").write_text(json.dumps(info))
    (root / "full").mkdir()
    (root / "full" / "mine").write_text("mine")
    return root


MISTAKES = {
    "no license": (["--workdir={}/run"], ["--license, of the weights", "missing", "apache-2.0"]),
    "an unknown license": (["--workdir={}/run", "--license=apache"], ["did you mean 'apache-2.0'"]),
    "a license without its name": (["--workdir={}/run", "--license=other"], ["other needs a name"]),
    "a license of known data": (["--workdir={}/run", "--license=mit", "--data_license=x"], ["MIT, Zalando SE"]),
    "data without a license": (["--workdir={}/own", "--license=mit"], ["is not known to genjax", "--data_license="]),
    "no run": (["--workdir={}", "--license=mit"], ["is not a run's folder"]),
    "no checkpoint": (["--workdir={}/empty", "--license=mit"], ["has no whole checkpoint"]),
    "no such step": (["--workdir={}/run", "--license=mit", "--step=3"], ["no checkpoint of step 3; it has 7"]),
    "no best step": (["--workdir={}/run", "--license=mit", "--step=best"], ["has no best checkpoint"]),
    "an exported folder": (["--workdir={}/exported", "--license=mit"], ["is an exported folder already"]),
    "a full folder": (["--workdir={}/run", "--license=mit", "--out={}/full"], ["is not empty"]),
    "a file": (["--workdir={}/run", "--license=mit", "--out={}/full/mine"], ["is a file: expected a folder"]),
    "no folder": (["--workdir={}/run", "--license=mit", "--out="], ["--out is needed"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_in_a_line_before_anything_is_compiled(mistake, wrong, tmp_path):
    arguments, texts = MISTAKES[mistake]
    flags = [argument.replace("{}", str(wrong)) for argument in arguments]
    flags += [] if any(flag.startswith("--out") for flag in flags) else [f"--out={tmp_path}/out"]
    run("genjax.export", *flags).assert_refused(*texts)
    assert not list(tmp_path.iterdir())


def test_an_exported_folder_has_one_step_and_is_not_trained(pairs, exported_gan):
    config = config_of("gan", **AVERAGED)
    for force in (False, True):
        with pytest.raises(InputError, match="is an exported folder, which cannot be trained"):
            train(config, exported_gan, force)
    assert {path.name for path in exported_gan.iterdir()} == {path.name for path in pairs["gan"][1].iterdir()}
    assert genjax.load(exported_gan, 7).sample([0]).any()
    for step in (3, "best"):
        with pytest.raises(InputError, match="holds the weights of step 7 alone"):
            genjax.load(exported_gan, step)


def test_a_task_without_outputs_is_refused(pairs, tmp_path, monkeypatch):
    build = tasks.build
    monkeypatch.setattr(tasks, "build", lambda c, shape: dataclasses.replace(build(c, shape), outputs={}))
    with pytest.raises(InputError, match="has no outputs, so nothing to export"):
        export(pairs["vae"][0], tmp_path / "out", None, MIT)
    assert not list(tmp_path.iterdir())
