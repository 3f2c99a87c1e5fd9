"""A run's own images, and encode, reconstruct and show: what files hold, and mistakes answered in a line."""

import shutil

import numpy as np
import pytest
from helpers import config_of, fashion, run
from PIL import Image

from genjax.cli import output
from genjax.data import open_source
from genjax.engine.outputs import apply_in_batches
from genjax.engine.phase import Task
from genjax.errors import InputError
from genjax.report import reconstructions
from genjax.run.loaded import open_run, restored
from genjax.run.restore import restore, weights_sha256
from genjax.run.training import train

OWN = "fashion_mnist_10k"


# -- what a run leaves


def test_a_runs_images_are_originals_over_what_is_corrupted_over_what_is_restored(denoiser):
    names = sorted(path.name for path in (denoiser / "samples").iterdir())
    assert names == [f"step_{step:08d}.png" for step in (0, 2, 4)]
    task, state = restore(denoiser)
    expected = reconstructions.draw(*restored(task, state, fashion("test").read(np.arange(4))))
    with Image.open(denoiser / "samples" / "step_00000004.png") as image:
        np.testing.assert_array_equal(image, expected)
        assert image.text["Title"] == "originals over corrupted over restored"
    page = (denoiser / "report.html").read_text()
    assert "<h2>Reconstructions</h2>" in page
    assert "Originals over corrupted over restored, step 4, the last" in page
    assert (denoiser / "samples.gif").exists()


def test_points_are_reconstructed_in_a_scatter_plot(tmp_path):
    config = config_of("ae_stacked", data__name="ring8", loss="mse")
    config.autoencoder = {"net": "dense", "widths": (1,), "activation": "linear", "output": "linear"}
    assert train(config, tmp_path) == 0
    with Image.open(tmp_path / "samples" / "step_00000004.png") as image:
        assert image.size == (640, 640)
    done = run("genjax.show", f"--workdir={tmp_path}", f"--out={tmp_path}/look")
    assert done.code == 0, done.err
    assert {path.name for path in (tmp_path / "look").iterdir()} == {"reconstructions.png", "activity.png"}


def test_data_without_a_heldout_split_are_their_own_examples(tmp_path, images):
    assert train(config_of("ae_stacked", data__name=f"folder:{images}"), tmp_path) == 0
    assert open_run(tmp_path).source.split == "train"
    assert len(list((tmp_path / "samples").iterdir())) == 3


def test_a_heldout_split_that_is_none_is_refused(tmp_path):
    with pytest.raises(InputError, match="no split 'tset'"):
        train(config_of("ae_stacked", eval__heldout="tset"), tmp_path)
    assert not (tmp_path / "config.json").exists()


def test_a_task_that_samples_and_reconstructs_has_both(tmp_path, monkeypatch):
    from genjax import tasks

    build = tasks.build

    def with_reconstructions(c, shape):
        task = build(c, shape)
        return Task(task.init, task.phases, {**task.outputs, "reconstruct": lambda state, x: x / 2})

    monkeypatch.setattr(tasks, "build", with_reconstructions)
    config = config_of("gan", data__name=OWN)
    assert train(config, tmp_path) == 0
    for folder in ("samples", "reconstructions"):
        assert len(list((tmp_path / folder).glob("step_*.png"))) == 3
    page = (tmp_path / "report.html").read_text()
    assert "<h2>Samples</h2>" in page
    assert "<h2>Reconstructions</h2>" in page
    before = {path: path.read_bytes() for path in tmp_path.glob("*s/step_*.png")}
    shutil.rmtree(tmp_path / "checkpoints" / "00000004")
    assert train(config, tmp_path) == 0  # from step 2: what comes after is written again
    assert {path: path.read_bytes() for path in tmp_path.glob("*s/step_*.png")} == before


# -- the commands


def test_latents_are_written_with_labels_and_where_they_come_from(denoiser, tmp_path, clothes):
    out = tmp_path / "latents.npz"
    done = run("genjax.encode", f"--workdir={denoiser}", "--split=test[:20]", f"--out={out}")
    assert done.code == 0, done.err
    assert "20 latents of 4" in done.out
    task, state = restore(denoiser)
    with np.load(out, allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["latents"], apply_in_batches(task.outputs["encode"], state, clothes[0]))
        np.testing.assert_array_equal(arrays["labels"], clothes[1])
        assert arrays["label_names"].tolist() == list(fashion("test").label_names)
        facts = {name: str(arrays[name]) for name in ("data", "split", "data_fingerprint", "weights_sha256", "step")}
    source = fashion("test[:20]")
    assert facts == {
        "data": OWN,
        "split": "test[:20]",
        "data_fingerprint": source.fingerprint,
        "weights_sha256": weights_sha256(state),
        "step": "4",
    }


def test_examples_without_labels_are_encoded_all_the_same(denoiser, tmp_path, images):
    np.save(tmp_path / "x.npy", np.zeros((3, 28, 28, 1), np.uint8))
    for path, count in ((images, 20), (tmp_path / "x.npy", 3)):
        done = run("genjax.encode", f"--workdir={denoiser}", f"--data={path}", f"--out={tmp_path}/c.npz")
        assert done.code == 0, done.err
        with np.load(tmp_path / "c.npz", allow_pickle=False) as arrays:
            assert "labels" not in arrays
            assert arrays["latents"].shape == (count, 4)
            names = [f"{i:02d}.png" for i in range(20)]
            assert arrays["names"].tolist() == names if path == images else "names" not in arrays


def test_outputs_have_the_names_of_the_files_that_they_are_of(denoiser, tmp_path, clothes):
    data = tmp_path / "data"
    for index, image in enumerate(clothes[0][:6]):
        path = data / "ab"[index % 2] / f"{index}.{'png' if index < 5 else 'bmp'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(path)
    Image.fromarray(clothes[0][6, ..., 0]).save(data / "b" / "5.png")  # beside 5.bmp
    workdir = f"--workdir={denoiser}"
    expected = open_source(f"folder:{data}").names[:6]
    latents, pixels, folder = tmp_path / "l.npz", tmp_path / "x.npz", tmp_path / "painted"
    assert run("genjax.encode", workdir, f"--data={data}", "--count=6", f"--out={latents}").code == 0
    for out in (pixels, f"{folder}/"):
        assert run("genjax.reconstruct", workdir, f"--images={data}", "--count=6", f"--out={out}").code == 0
    with np.load(latents) as arrays, np.load(pixels) as reconstructed:
        assert arrays["names"].tolist() == reconstructed["names"].tolist() == expected
        x = reconstructed["x"]
    written = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))
    stems = {
        name: name if name[2] == "5" and {"b/5.png", "b/5.bmp"} <= set(expected) else name[:3] for name in expected
    }
    assert written == sorted(f"{stem}.png" for stem in stems.values())
    for row, name in zip(x, expected, strict=True):
        with Image.open(folder / f"{stems[name]}.png") as image:
            np.testing.assert_array_equal(image, row[..., 0])


def test_names_of_files_are_all_different_and_inside_of_the_folder():
    names = ["a.png", "/x/../a.png", "b.jpg", "b.png", "../c.png", "c.png", "..", "d/e.f.png"]
    assert output.names_of_files(names) == [
        "a", "x/a", "b.jpg", "b.png", "c.000004", "c.000005", "_", "d/e.f"
    ]  # fmt: skip


def test_reconstructions_are_written_in_three_ways(denoiser, tmp_path, clothes):
    flags = f"--workdir={denoiser}", "--split=test[:20]"
    expected = restored(*restore(denoiser), clothes[0], corrupt=False)
    for out in ("out.png", "out.npy", "folder/"):
        done = run("genjax.reconstruct", *flags, f"--out={tmp_path}/{out}")
        assert done.code == 0, done.err
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), expected[1])
    with Image.open(tmp_path / "out.png") as image:
        np.testing.assert_array_equal(image, reconstructions.draw(*expected))
    files = sorted((tmp_path / "folder").iterdir())
    assert [path.name for path in files] == [f"{i:06d}.png" for i in range(20)]
    with Image.open(files[7]) as image:
        np.testing.assert_array_equal(image, expected[1][7, ..., 0])
    done = run("genjax.reconstruct", *flags, "--corrupt", "--count=5", f"--out={tmp_path}/three.png")
    assert done.code == 0, done.err
    with Image.open(tmp_path / "three.png") as image:
        assert image.text["Title"] == "originals over corrupted over restored"


def test_everything_that_applies_is_shown_and_the_rest_has_reasons(denoiser, tmp_path):
    done = run("genjax.show", f"--workdir={denoiser}", "--count=40", f"--out={tmp_path}/look")
    assert done.code == 0, done.err
    names = {path.name for path in (tmp_path / "look").iterdir()} - {"latents_tsne.png"}
    ways = {f"interpolation_{way}.{kind}" for way in ("linear", "spherical") for kind in ("png", "gif")}
    assert names == ways | {"reconstructions.png", "filters.png", "latents_pca.png", "grid.png", "activity.png"}
    assert "manifold: latents have 4 dimensions, not 2" in done.out


def test_a_gan_shows_its_latents_and_needs_no_data(tmp_path, images):
    folder = shutil.copytree(images, tmp_path / "data")
    assert train(config_of("gan", data__name=f"folder:{folder}"), tmp_path / "run") == 0
    shutil.rmtree(folder)
    done = run("genjax.show", f"--workdir={tmp_path}/run")
    assert done.code == 0, done.err
    names = {path.name for path in (tmp_path / "run" / "images").iterdir()}
    assert {"filters.png", "grid.png", "interpolation_linear.png", "interpolation_spherical.gif"} <= names
    assert "latents: the task 'gan' has no output 'encode'; it has sample, latents, decode" in done.out


COMMON = {
    "no folder": (["--workdir=nowhere"], ["nowhere is not a run's folder"]),
    "no workdir": ([], ["workdir"]),
    "a step without a checkpoint": (["--workdir={}", "--step=3"], ["no checkpoint of step 3; it has 2, 4"]),
    "a split that is none": (["--workdir={}", "--split=tset"], ["no split 'tset'", "did you mean 'test'"]),
    "more examples than there are": (["--workdir={}", "--count=2001"], ["--count=2001", "test has 2,000"]),
    "no examples": (["--workdir={}", "--count=0"], ["count"]),
    "a form for the run's own data": (
        ["--workdir={}", "--size=28"],
        ["--size, --channels and --range apply to other data"],
    ),
    "a misspelled flag": (["--workdir={}", "--wordir=x"], ["no flag --wordir", "did you mean 'workdir'"]),
}
OTHERS = {
    "images of another form": (["--workdir={}", "--data=emoji_32"], ["32x32", "28x28", "--size=28x28 --channels=1"]),
    "points": (["--workdir={}", "--data=ring8"], ["points of 2 coordinates", "gray images of 28x28"]),
    "nothing of the kind": (["--workdir={}", "--data=nothing"], ["'nothing' is no folder of images"]),
    "an array that is none": (["--workdir={}", "--data={}/config.npy"], ["cannot be read as arrays"]),
    "an array of another form": (["--workdir={}", "--data={}/wide.npy"], ["color images of 28x28"]),
}
MISTAKES = {
    **{("genjax.encode", name): case for name, case in (COMMON | OTHERS).items()},
    **{("genjax.reconstruct", name): case for name, case in (COMMON | OTHERS).items()},
    **{("genjax.show", name): case for name, case in (COMMON | OTHERS).items()},
    ("genjax.encode", "another kind of file"): (["--workdir={}", "--out=c.npy"], ["--out=c.npy: expected a .npz"]),
    ("genjax.encode", "a GAN"): (["--workdir={}/gan"], ["has no output 'encode'; it has sample, latents, decode"]),
    ("genjax.reconstruct", "another kind of file"): (["--workdir={}", "--out=c.jpg"], ["--out=c.jpg: expected a .png"]),
    ("genjax.reconstruct", "a GAN"): (["--workdir={}/gan"], ["has no output 'reconstruct'"]),
    ("genjax.reconstruct", "no columns"): (["--workdir={}", "--columns=0"], ["columns"]),
    ("genjax.show", "an image unknown"): (
        ["--workdir={}", "--what=filtres"],
        ["no 'filtres'", "did you mean 'filters'"],
    ),
    ("genjax.show", "no image"): (["--workdir={}", "--what="], ["--what is empty"]),
    ("genjax.show", "a file for a folder"): (
        ["--workdir={}", "--out={}/config.json"],
        ["is a file: expected a folder"],
    ),
    ("genjax.show", "a GAN's latents"): (
        ["--workdir={}/gan", "--what=latents"],
        ["--what=latents", "no output 'encode'"],
    ),
}


@pytest.fixture(scope="module")
def wrong(denoiser, tmp_path_factory):
    """A copy of the run with a GAN's folder and arrays that are wrong."""
    folder = shutil.copytree(denoiser, tmp_path_factory.mktemp("wrong") / "run")
    assert train(config_of("gan"), folder / "gan") == 0
    shutil.copy(folder / "config.json", folder / "config.npy")
    np.save(folder / "wide.npy", np.zeros((2, 28, 28, 3), np.uint8))
    return folder


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda pair: f"{pair[0]}: {pair[1]}")
def test_a_mistake_is_named_in_a_line_before_anything_is_compiled(mistake, wrong, tmp_path):
    arguments, texts = MISTAKES[mistake]
    if mistake[0] == "genjax.reconstruct":
        arguments = [argument.replace("--data=", "--images=") for argument in arguments]
    flags = [argument.replace("{}", str(wrong)) for argument in arguments]
    if not any(argument.startswith("--out") for argument in flags):
        flags.append(
            f"--out={tmp_path}/x" + {"genjax.encode": ".npz", "genjax.reconstruct": ".png"}.get(mistake[0], "")
        )
    run(mistake[0], *flags).assert_refused(*texts)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("module", ["encode", "reconstruct", "show"])
def test_what_cannot_be_written_is_named(module, denoiser, tmp_path):
    (tmp_path / "file").write_text("in the way")
    name = {"encode": "c.npz", "reconstruct": "out.png", "show": "look"}[module]
    options = ["--what=filters"] if module == "show" else ["--count=2"]
    done = run(f"genjax.{module}", f"--workdir={denoiser}", *options, f"--out={tmp_path}/file/{name}")
    assert done.code == 2
    assert "cannot be written" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("module", ["encode", "reconstruct", "show"])
def test_help_tells_of_every_flag(module):
    done = run(f"genjax.{module}", "--help")
    assert f"python -m genjax.{module} --" in done.out
    for name in ("workdir", "out", "split", "count", "size", "channels", "step"):
        assert f"--{name}" in done.out
