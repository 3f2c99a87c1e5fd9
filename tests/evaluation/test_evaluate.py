"""Evaluations of runs, folders, arrays and points; mistakes are one line."""

import contextlib
import json
from math import log

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import run, without_report
from PIL import Image

from genjax import metrics
from genjax.data import load
from genjax.data.source import in_memory
from genjax.engine.outputs import check_truncation
from genjax.engine.phase import Task
from genjax.engine.state import State
from genjax.errors import InputError
from genjax.evaluation import sources
from genjax.evaluation.context import EvalContext
from genjax.evaluation.evaluate import evaluate
from genjax.evaluation.nets import open_feature_nets
from genjax.evaluation.registry import METRICS, parse
from genjax.evaluation.selection import select
from genjax.metrics.features import FeatureNet
from genjax.run.records import read_evaluations

rng = np.random.default_rng(0)
REAL = rng.integers(0, 256, (200, 16, 12, 1), np.uint8)
FAKE = rng.integers(0, 200, (150, 16, 12, 1), np.uint8)
HELD = rng.integers(0, 256, (80, 16, 12, 1), np.uint8)


def source(x, labels=None, names=(), name="noise"):
    return in_memory(name, "train", x, labels, names)


def look(_, x):
    """Three means of an image as features; classes by its brightness, sure of themselves."""
    x = x.astype(jnp.float32) / 255
    features = jnp.stack([x[:, :5].mean((1, 2, 3)), x[:, 5:9].mean((1, 2, 3)), x[:, 9:].mean((1, 2, 3))], 1)
    return features, jax.nn.one_hot((features.mean(1) > 0.45).astype(int), 2)


NET = FeatureNet("toy", 3, "00", "none", look, np.float32(0), classes=("dark", "bright"))


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def values_of(context, *names, **options):
    results = evaluate(context, [METRICS[name] for name in names], **options)
    return {label: number for result in results for label, number in result.numbers.items()}


def test_values_are_those_of_the_functions_on_the_same_features():
    found = values_of(EvalContext(source(FAKE), source(REAL), None, [NET]), "frechet", "kernel", "precision_recall")
    real, fake = (np.asarray(look(0, x)[0], np.float64) for x in (REAL, FAKE))
    direct = metrics.frechet_distance(real.mean(0), np.cov(real.T), fake.mean(0), np.cov(fake.T))
    assert found["Fréchet distance (toy)"] == pytest.approx(direct, rel=1e-5)
    assert found["Kernel distance (toy)"] == pytest.approx(metrics.kernel_distance(real, fake, size=75)[0], rel=1e-4)
    precision, recall = metrics.precision_recall(real[select(200, 150)], fake)  # as many of each
    assert (found["Precision (toy)"], found["Recall (toy)"]) == pytest.approx((precision, recall), abs=0.02)


@pytest.mark.heavy
def test_a_set_against_itself():
    found = values_of(
        EvalContext(source(REAL), source(REAL), None, [NET]), "frechet", "precision_recall", "swd", "neighbors"
    )
    assert found["Fréchet distance (toy)"] == pytest.approx(0, abs=1e-9)
    assert found["Precision (toy)"] == found["Recall (toy)"] == 1
    assert found["Sliced Wasserstein distance"] == 0
    assert found["Nearest neighbor of samples, median distance"] == 0
    assert found["Copies of the reference"] == 200


def test_classes_among_samples_against_the_labels_of_the_data():
    labels = np.array([0, 1] * 100)
    found = values_of(EvalContext(source(FAKE // 4), source(REAL, labels), None, [NET]), "classes", "inception_score")
    assert found["Classes of 2 (toy)"] == 1
    assert found["Divergence of classes in nats (toy)"] == pytest.approx(log(2))
    assert found["Inception score (toy)"] == pytest.approx(1)


def test_conditional_accuracy_goes_by_the_names_of_classes():
    x = np.concatenate([FAKE[:30] // 4, 255 - FAKE[:10] // 4])
    labels = np.array([0] * 20 + [1] * 10 + [0] * 10)  # 20 dark ones right, 10 bright ones wrong as "dark"
    context = EvalContext(source(x, labels, ("dark", "bright")), source(REAL), None, [NET])
    assert values_of(context, "conditional_accuracy")["Conditional accuracy (toy)"] == 20 / 40
    context = EvalContext(source(x, labels, ("drak", "bright")), source(REAL), None, [NET])
    with pytest.raises(InputError, match=r"'drak' \(did you mean 'dark'\?\)"):
        values_of(context, "conditional_accuracy")


def test_neighbors_are_measured_in_pixels_and_drawn():
    shifted = np.clip(REAL[:20].astype(int) + 51, 0, 255).astype(np.uint8)
    bright = np.full((5, 16, 12, 1), 255, np.uint8)
    context = EvalContext(
        source(np.concatenate([shifted, REAL[:1]])), source(np.concatenate([REAL, bright])), source(HELD), []
    )
    found = values_of(context, "neighbors")
    assert 0.1 < found["Nearest neighbor of samples, median distance"] < 0.2  # 51 / 255, less what is clipped
    assert found["Copies of the reference"] == 1
    assert found["Nearest neighbor of held-out examples, median distance"] > 0.3
    assert np.asarray(context.images["neighbors.png"]).std() > 0


def test_points_are_their_own_features_and_have_modes():
    law = load_points("ring8")
    x = law.read(np.arange(1000))
    half = x[np.abs(law.labels[:1000] - 3.5) < 2]
    samples = source(half, name="samples")
    found = values_of(
        EvalContext(samples, law, None, open_feature_nets("squeezenet", law)), "frechet", "modes", "density_coverage"
    )
    assert found["Modes of 8"] == 4
    assert found["Divergence of modes in nats"] == pytest.approx(log(2), abs=0.02)
    mean, cov = law.read(np.arange(law.size)).astype(np.float64), np.cov(half.astype(np.float64).T)
    direct = metrics.frechet_distance(mean.mean(0), np.cov(mean.T), half.mean(0, dtype=np.float64), cov)
    assert found["Fréchet distance (coordinates)"] == pytest.approx(direct, rel=1e-9)
    assert found["Coverage (coordinates)"] < 0.6


def load_points(name):
    return sources.open_images(name)


def test_reconstructions_and_likelihoods_are_of_held_out_images():
    """A task that restores half the brightness, and whose bound is known."""
    x = HELD / 255
    outputs = {
        "reconstruct": lambda state, x: x.astype(jnp.float32) / 2,
        "log_weights": lambda state, x, draws=3: jnp.broadcast_to(jnp.log(jnp.array([0.25, 0.5, 0.75])), (len(x), 3)),
    }
    task = Task(lambda key: None, (), outputs)
    context = EvalContext(None, source(REAL), source(HELD), [], task, State(jnp.int32(0), {}, {}, {}))
    found = values_of(context, "reconstruction", "likelihood")
    assert found["Reconstruction, mean squared error"] == pytest.approx(np.mean((x / 2) ** 2), rel=1e-6)
    assert found["Reconstruction, rounded accuracy"] == pytest.approx(np.mean(np.round(x) == 0), rel=1e-6)
    bce = -np.mean(x * np.log(np.maximum(x / 2, 1e-30)) + (1 - x) * np.log1p(-x / 2))
    assert found["Reconstruction, binary cross-entropy"] == pytest.approx(bce, rel=1e-5)
    assert found["Evidence lower bound in nats"] == pytest.approx(log(0.25), rel=1e-6)
    assert found["Importance-weighted bound in nats, 3 draws"] == pytest.approx(log(0.5), rel=1e-6)


def test_metrics_that_do_not_apply_are_skipped_with_a_reason_or_refused():
    context = EvalContext(source(FAKE), source(REAL), None, [NET])
    skipped = {}
    results = evaluate(context, list(METRICS.values()), optional=True, on_skip=skipped.__setitem__)
    assert {result.metric for result in results} == {
        *("frechet", "kernel", "inception_score", "precision_recall", "density_coverage", "classes"),
        *("swd", "ms_ssim", "neighbors"),
    }
    assert "samples have no labels" in skipped["conditional_accuracy (toy)"]
    assert "--workdir" in skipped["ppl"]
    with pytest.raises(InputError, match="accuracy: it is of a run: give --workdir"):
        values_of(context, "accuracy")


def test_a_doubtful_number_comes_with_a_warning():
    heard = []
    values_of(EvalContext(source(FAKE[:3]), source(REAL), None, [NET]), "frechet", warn=heard.append)
    assert "3 samples in 3 dimensions" in heard[0]


def test_a_protocol_has_all_that_a_number_depends_on():
    (result,) = evaluate(EvalContext(source(FAKE), source(REAL), None, [NET]), [METRICS["kernel"]])
    protocol = json.loads(json.dumps(result.protocol))
    assert protocol["settings"] == {"subsets": 100, "size": 75, "seed": 0}
    assert protocol["samples"] == {"count": 150, "type": "uint8"}
    assert protocol["reference"]["fingerprint"] == source(REAL).fingerprint
    assert protocol["features"] == {"net": "toy", "sha256": "00", "resize": "none"}
    assert protocol["versions"]["jax"] == jax.__version__


def test_the_names_of_metrics():
    assert parse("swd, frechet,swd") == [METRICS["swd"], METRICS["frechet"]]
    assert parse("all") == list(METRICS.values())
    with pytest.raises(InputError, match=r"no 'frecht' \(did you mean 'frechet'\?\)"):
        parse("frecht")
    with pytest.raises(InputError, match="names no metric"):
        parse(" ,")


# -- the command


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Folders and arrays of images, and runs."""
    folder = tmp_path_factory.mktemp("place")
    data = load(config("fashion_mnist_10k"))
    x = data.read(np.arange(60))
    for i, (image, label) in enumerate(zip(x, data.labels, strict=False)):
        name = data.label_names[label].replace("/", " or ")
        (folder / "clothes" / name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(folder / "clothes" / name / f"{i}.png")
    np.save(folder / "clothes.npy", x)
    np.save(folder / "wide.npy", x * 2.0)
    np.save(folder / "broken.npy", np.float32([[np.nan, 1]]))
    np.save(folder / "color.npy", np.repeat(x, 3, 3))
    np.savez(folder / "several.npz", x)
    (folder / "text.npy").write_text("no array")
    (folder / "empty").mkdir()
    (folder / "mixed").mkdir()
    for side in (8, 9):
        Image.new("L", (side, side)).save(folder / "mixed" / f"{side}.png")
    (folder / "inception.pth").write_bytes(b"not the weights")
    small = ["--config.data.split=train[:200]", "--config.sample_every=4"]
    for name in ("gan", "classifier"):
        given = [f"--config=configs/{name}.py:smoke", f"--workdir={folder / name}", *small]
        done = run("genjax.train", *given, before=without_report)
        assert done.code == 0, done.err
    return folder


def config(name):
    from ml_collections import ConfigDict

    return ConfigDict({"name": name, "split": "train", "size": "", "channels": 0, "resize": "crop", "dir": ""})


@pytest.mark.heavy
def test_a_run_is_evaluated_and_keeps_the_results(place):
    features = f"--features=classifier:{place / 'classifier'}"
    names = ("frechet", "precision_recall", "classes", "swd", "ms_ssim", "neighbors")
    given = [f"--workdir={place / 'gan'}", features, f"--metrics={','.join(names)}", "--samples=100"]
    first = run("genjax.evaluate", *given)
    assert first.code == 0, first.err
    assert "at step 4: 100 samples, of the seeds 0 to 99" in first.out
    assert "Fréchet distance (classifier of fashion_mnist_10k)" in first.out
    assert "reference: name fashion_mnist_10k, split train[:200], count 200" in first.out
    assert "samples: classifier of fashion_mnist_10k 100/100 (100%)" in first.err  # the progress bar, in a pipe
    rows = read_evaluations(place / "gan" / "metrics.jsonl")
    assert [row["evaluation"] for row in rows] == list(names)
    assert all(row["step"] == 4 and row["of"]["name"] == "samples" for row in rows)
    assert (place / "gan" / "neighbors.png").exists()
    again = run("genjax.evaluate", *given)
    assert [row["values"] for row in read_evaluations(place / "gan" / "metrics.jsonl")] == [r["values"] for r in rows]
    assert "do not compare" not in again.out
    other = run("genjax.evaluate", *given[:2], "--metrics=swd", "--samples=90")
    assert "has results of swd that do not compare with these (samples.count: 100 -> 90" in other.out


@pytest.mark.heavy
def test_a_classifier_is_evaluated_on_held_out_images(place):
    done = run("genjax.evaluate", f"--workdir={place / 'classifier'}")
    assert done.code == 0, done.err
    (row,) = read_evaluations(place / "classifier" / "metrics.jsonl")
    assert 0 < row["values"]["Accuracy"] < 1
    assert row["protocol"]["settings"]["heldout"] == "fashion_mnist_10k test, 2000"


@pytest.mark.heavy
def test_a_perceptual_path_is_measured(place):
    done = run("genjax.evaluate", f"--workdir={place / 'gan'}", "--metrics=ppl", "--samples=8", "--out=/dev/null")
    assert done.code == 0, done.err
    assert "Perceptual path length (SqueezeNet, seven maps; z, full)" in done.out


@pytest.mark.heavy
def test_images_are_evaluated_without_a_run(place):
    given = [f"--images={place / 'clothes'}", "--metrics=swd,ms_ssim", f"--out={place / 'new' / 'results.jsonl'}"]
    by_folder = run("genjax.evaluate", *given, f"--reference={place / 'clothes.npy'}")
    assert by_folder.code == 0, by_folder.err
    rows = read_evaluations(place / "new" / "results.jsonl")
    assert rows[0]["of"]["name"] == f"folder:{place / 'clothes'}"
    by_name = run("genjax.evaluate", *given[:2], "--reference=fashion_mnist_10k", "--split=train[:60]")
    assert by_name.code == 0, by_name.err
    assert "not kept: give --out" in by_name.out
    sized = ["--reference=emoji_32", "--size=16", "--channels=1"]
    assert run("genjax.evaluate", *given[:2], *sized).code == 0


CLOTHES = "--images={}/clothes.npy"
MISTAKES = {
    "nothing to judge": ([], ["either --workdir", "or --images"]),
    "two things to judge": ([CLOTHES, "--workdir={}/gan"], ["either --workdir", "or --images"]),
    "no reference": ([CLOTHES], ["--images needs --reference"]),
    "no such folder": ([CLOTHES, "--reference={}/none"], ["{}/none", "no folder of images"]),
    "an empty folder": ([CLOTHES, "--reference={}/empty"], ["{}/empty is empty"]),
    "mixed sizes": ([CLOTHES, "--reference={}/mixed"], ["differ in size", "8x8", "9x9"]),
    "another size": (
        [CLOTHES, "--reference=emoji_32", "--channels=1"],
        ["gray images of 28x28", "gray images of 32x32", "--size"],
    ),
    "gray against color": ([CLOTHES, "--reference={}/color.npy"], ["gray images", "color images", "--channels"]),
    "images against points": ([CLOTHES, "--reference=ring8"], ["gray images", "points of 2 coordinates"]),
    "floats for pixels": (["--images={}/wide.npy", "--reference=ring8"], ["float64 from 0 to 510", "data.range"]),
    "NaN": (["--images={}/broken.npy", "--reference=ring8"], ["broken.npy has NaN"]),
    "no array": (["--images={}/text.npy", "--reference=ring8"], ["text.npy cannot be read as arrays"]),
    "too many samples": ([CLOTHES, "--reference={}/clothes.npy", "--samples=61"], ["61 examples", "it has 60"]),
    "too few samples": ([CLOTHES, "--reference={}/clothes.npy", "--samples=1"], ["samples", "1"]),
    "no such metric": (["--workdir={}/gan", "--metrics=fid"], ["no 'fid'", "choose from 'all', 'frechet'"]),
    "no such net": (["--workdir={}/gan", "--features=squezenet"], ["'squeezenet'"]),
    "a size that is none": (["--workdir={}/gan", "--features=squeezenet:big"], ["squeezenet:64"]),
    "weights that are absent": (
        ["--workdir={}/gan", "--features=inception:{}/none.pth"],
        ["none.pth", "SHA-256 67268"],
    ),
    "other weights": (
        ["--workdir={}/gan", "--features=inception:{}/inception.pth"],
        ["inception.pth", "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"],
    ),
    "a net that is no classifier": (["--workdir={}/gan", "--features=classifier:{}/gan"], ["a task without classes"]),
    "a classifier of other images": (
        ["--images=emoji_32", "--reference=emoji_32", "--features=classifier:{}/classifier"],
        ["takes images of shape [28, 28, 1], not [32, 32, 3]"],
    ),
    "no run": (["--workdir={}/empty"], ["{}/empty is not a run's folder"]),
    "no such checkpoint": (["--workdir={}/gan", "--step=3"], ["no checkpoint of step 3"]),
    "no such split": (["--workdir={}/gan", "--heldout=validation", "--metrics=neighbors"], ["'validation'"]),
    "no results": (["--compare={}/empty"], ["{}/empty has no results"]),
}


@pytest.mark.heavy
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_in_a_line(mistake, place):
    given, texts = MISTAKES[mistake]
    done = run("genjax.evaluate", *(argument.replace("{}", str(place)) for argument in given))
    assert done.code == 2, (done.out, done.err)
    for text in texts:
        assert text.replace("{}", str(place)) in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert "Traceback" not in done.err


def test_too_few_images_for_a_metric_are_refused(place):
    given = [CLOTHES.replace("{}", str(place)), f"--reference={place / 'clothes.npy'}", "--samples=3"]
    done = run("genjax.evaluate", *given, "--metrics=precision_recall", f"--features=classifier:{place / 'classifier'}")
    assert done.code == 2
    assert "k=3 neighbors need at least 4 examples of each: got 3 samples and 60 of the reference" in done.err


@pytest.mark.heavy
def test_images_that_were_enlarged_are_not_compared_in_silence(tmp_path):
    given = ["--images=shapes_16", "--size=32", "--metrics=swd", "--samples=100", f"--out={tmp_path / 'o.jsonl'}"]
    enlarged = run("genjax.evaluate", *given, "--reference=shapes_32", "--split=train[:100]")
    assert "samples: 16x16 to 32x32, crop; reference: as stored" in enlarged.err
    assert "form 16x16 to 32x32, crop" in enlarged.out
    assert "chosen at random, seed 0" in enlarged.out
    alike = run("genjax.evaluate", *given, "--reference=shapes_16", "--split=train[:100]")
    assert "as stored" not in alike.err
    assert "do not compare" in alike.out
    assert "reference.form: absent -> 16x16 to 32x32, crop" in alike.out


@pytest.mark.parametrize(
    ("truncation", "outputs", "taken"),
    [
        (None, (), True),
        (0.7, (), True),
        (0.0, (), False),
        (-1.0, (), False),
        (float("nan"), (), False),
        (0.0, ("map",), True),  # the average image of a StyleGAN
        (-1.0, ("map",), True),
        (float("nan"), ("map",), False),
        (float("inf"), ("map",), False),
    ],
)
def test_commands_take_the_truncation_that_the_task_takes(truncation, outputs, taken):
    with contextlib.nullcontext() if taken else pytest.raises(InputError, match=f"--truncation={truncation}: expected"):
        check_truncation(truncation, dict.fromkeys(outputs))


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((28, 27, 1), "gray images of 28x27"),
        ((8, 8, 3), "color images of 8x8"),
        ((2,), "points of 2 coordinates"),
        ((9, 2), "series of 9 steps of 2 numbers"),
    ],
)
def test_forms_of_examples_have_words(shape, words):
    assert sources.describe_shape(shape) == words
