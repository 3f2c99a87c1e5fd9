"""The metrics by name: what each takes of a case, and what it says of itself. The arithmetic is in genjax.metrics."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from genjax import metrics
from genjax.engine.outputs import apply_in_batches
from genjax.errors import InputError, NotApplicable, did_you_mean
from genjax.evaluation.context import EvalContext
from genjax.metrics.features import FeatureNet
from genjax.metrics.perceptual import NAME as PERCEPTUAL
from genjax.metrics.perceptual import perceptual_distance
from genjax.report import neighbors as neighbors_image

Found = tuple[dict[str, float], dict[str, Any]]  # values by what is printed before them, and the metric's settings

PATCHED = 8192  # images of each set in a sliced Wasserstein distance
PAIRED = 10_000  # images among which an MS-SSIM draws its pairs
PATHS = 2000  # of a perceptual path length
SEARCHED = 1000  # samples whose nearest neighbors are looked for
INCEPTION = "Inception v3 pool3"


# -- of features


def frechet(case: EvalContext, net: FeatureNet) -> Found:
    """Frechet distance; with the published Inception it is FID."""
    samples, reference = case.seen(net, "samples").moments, case.seen(net, "reference").moments
    value = metrics.frechet_distance(reference.mean, reference.cov, samples.mean, samples.cov)
    return {_named("Frechet distance", "FID", net): value}, {}


def kernel(case: EvalContext, net: FeatureNet) -> Found:
    """Kernel distance; with the published Inception it is KID."""
    samples, reference = case.seen(net, "samples").features, case.seen(net, "reference").features
    settings = {"subsets": 100, "size": min(1000, len(samples), len(reference)), "seed": 0}
    found = metrics.kernel_distance(reference, samples, **settings)
    name = _named("Kernel distance", "KID", net)
    return {name: found.mean, f"{name}, deviation": found.std}, settings


def inception_score(case: EvalContext, net: FeatureNet) -> Found:
    """How sure the net is of each sample, and how many classes it sees."""
    found = metrics.inception_score(_classes(case, net), splits=10)
    name = _named("Inception score", "Inception score", net)
    return {name: found.mean, f"{name}, deviation": found.std}, {"splits": 10}


def precision_recall(case: EvalContext, net: FeatureNet) -> Found:
    """Improved precision and recall."""
    reference, samples, settings = _as_many(case, net, k=3)
    found = metrics.precision_recall(reference, samples, k=3)
    return {f"Precision ({net.name})": found.precision, f"Recall ({net.name})": found.recall}, settings


def density_coverage(case: EvalContext, net: FeatureNet) -> Found:
    """Density and coverage."""
    reference, samples, settings = _as_many(case, net, k=5)
    found = metrics.density_coverage(reference, samples, k=5)
    return {f"Density ({net.name})": found.density, f"Coverage ({net.name})": found.coverage}, settings


def classes(case: EvalContext, net: FeatureNet) -> Found:
    """Classes of the data that a classifier finds among samples, and KL to the data's shares of them."""
    if not net.classes:
        raise NotApplicable("it needs a classifier of the data: --features=classifier:RUN")
    width = len(net.classes)
    labels = case.reference.labels
    if labels is None:
        labels = case.seen(net, "reference").probabilities.argmax(1)
    shares = np.bincount(labels, minlength=width) / len(labels)
    found = metrics.count_classes(_classes(case, net).argmax(1), shares)
    names = f"Classes of {width} ({net.name})", f"Divergence of classes in nats ({net.name})"
    return dict(zip(names, found, strict=True)), {"shares": "predicted" if case.reference.labels is None else "labels"}


def conditional_accuracy(case: EvalContext, net: FeatureNet) -> Found:
    """Share of labeled samples that a classifier of the data takes for what they were meant to be."""
    if not net.classes:
        raise NotApplicable("it needs a classifier of the data: --features=classifier:RUN")
    if case.samples.labels is None:
        raise NotApplicable("samples have no labels (sub-folders of --images are labels)")
    names = case.samples.label_names
    strange = [name for name in names if name not in net.classes]
    if strange:
        raise InputError(
            f"samples are labeled {strange[0]!r}{did_you_mean(strange[0], net.classes)}: "
            f"expected the classes of {net.name}, {', '.join(net.classes)}"
        )
    meant = np.array([net.classes.index(name) for name in names])[case.samples.labels]
    found = metrics.conditional_accuracy(_classes(case, net), meant[: len(_classes(case, net))])
    return {f"Conditional accuracy ({net.name})": found}, {}


# -- of images and points


def swd(case: EvalContext) -> Found:
    """Sliced Wasserstein distance of each level of a Laplacian pyramid."""
    _images(case)
    count = min(case.samples.size, case.reference.size, PATCHED)
    found = metrics.sliced_wasserstein(case.take("reference", count), case.take("samples", count), seed=0)
    levels = {f"Sliced Wasserstein distance, {size} pixels": value for size, value in found.levels.items()}
    mean = {"Sliced Wasserstein distance": found.mean}
    return mean | (levels if len(levels) > 1 else {}), {"count": count, "patches": 128, "seed": 0}


def ms_ssim(case: EvalContext) -> Found:
    """Mean MS-SSIM of random pairs of samples, beside that of the data: more alike than the data is a collapse."""
    _images(case)
    settings = {"pairs": 1000, "seed": 0}
    values = {
        f"MS-SSIM of pairs of {which}": metrics.ms_ssim_diversity(case.take(name, PAIRED), **settings, data_range=255)
        for name, which in (("samples", "samples"), ("reference", "the reference"))
    }
    return values, settings | {"of": PAIRED}


def neighbors(case: EvalContext) -> Found:
    """Distance of samples to their nearest reference images, over that of held-out images; with an image."""
    samples = case.take("samples", SEARCHED)
    train = case.take("reference", case.reference.size)
    unit = np.sqrt(samples[0].size) * (255 if samples.dtype == np.uint8 else 1)
    found = metrics.nearest_neighbors(samples, train, k=min(5, len(train)))
    values = {"Nearest neighbor of samples, median distance": float(np.median(found.distances[:, 0]) / unit)}
    values["Copies of the reference"] = int((found.distances[:, 0] == 0).sum())
    settings = {"samples": len(samples), "distance": "Euclidean, root mean square of pixels from 0 to 1"}
    if case.heldout is not None:
        held = metrics.nearest_neighbors(case.take("heldout", SEARCHED), train).distances[:, 0]
        values["Nearest neighbor of held-out examples, median distance"] = float(np.median(held) / unit)
        settings["heldout"] = f"{case.heldout.name} {case.heldout.split}, {len(held)}"
    if samples.ndim == 4:
        image = neighbors_image.draw(samples, train, found.indices, found.distances / unit)
        case.artifacts["neighbors.png"] = image
    return values, settings


def modes(case: EvalContext) -> Found:
    """Modes of a mixture of Gaussians that samples reach, the share of good samples, and KL of modes."""
    mixture = case.reference.mixture
    if mixture is None:
        raise NotApplicable("it is for mixtures of Gaussians, such as ring8; for images there is `classes`")
    found = metrics.count_modes(case.take("samples", case.samples.size), mixture.centers, mixture.std)
    names = f"Modes of {len(mixture.centers)}", "High-quality samples", "Divergence of modes in nats"
    return dict(zip(names, found, strict=True)), {"within": "3 standard deviations"}


# -- of what a run can do besides samples


def ppl(case: EvalContext) -> Found:
    """Perceptual path length in z and, where there is one, w; its images are neither rounded nor cropped.

    A class stays the same on a path. Truncation is of latents, or of w where the generator has them.
    """
    task, state = _output(case, "decode", "latents"), case.local_state
    _images(case)
    ema, truncation = case.options.get("ema", True), case.options.get("truncation")
    count = min(PATHS, case.samples.size // 2)
    if count < 1:
        raise NotApplicable("it needs two samples")
    z = apply_in_batches(task.outputs["latents"], state, np.arange(2 * count, dtype=np.int32), truncation=truncation)
    spaces = {"z": (z, "slerp", lambda z: apply_in_batches(task.outputs["decode"], state, z, ema=ema))}
    if "map" in task.outputs:
        w = apply_in_batches(task.outputs["map"], state, z, ema=ema)
        look_of = partial(apply_in_batches, task.outputs["synthesize"], state, ema=ema, truncation=truncation)
        spaces["w"] = w, "lerp", look_of
    look, measured, values = perceptual_distance(), [], {}

    def distance_of_pairs(_, pairs):
        return look(pairs[:, 0], pairs[:, 1])

    with case.watch("perceptual path", count * len(spaces)) as on_progress:

        def distance(x, y):
            measured.extend(found := apply_in_batches(distance_of_pairs, None, np.stack([x, y], 1)))
            on_progress(len(measured))
            return found

        for space, (codes, path, generate) in spaces.items():
            cut = [codes.shape[-1] - task.classes]
            (start, given), (end, _) = (np.split(ends, cut, -1) for ends in (codes[0::2], codes[1::2]))
            found = metrics.perceptual_path_length(generate, distance, start, end, constant=given, path=path, seed=0)
            values[f"Perceptual path length ({PERCEPTUAL}; {space}, full)"] = found
    settings = {"paths": count, "space": " and ".join(spaces), "sampling": "full", "epsilon": 1e-4}
    settings |= {"distance": PERCEPTUAL, "seed": 0}
    if task.classes:
        settings["class"] = "the start's"
    return values, settings


def accuracy(case: EvalContext) -> Found:
    """A classifier's share of right answers on held-out examples, and that of its control, trained from scratch."""
    task = _output(case, "classify")
    held = _heldout(case)
    if held.labels is None:
        raise NotApplicable(f"{held.name} has no labels")
    values = {}
    for label, name in (("Accuracy", "classify"), ("Accuracy from scratch", "classify_scratch")):
        if name in task.outputs:
            probabilities = apply_in_batches(task.outputs[name], case.local_state, case.take("heldout", held.size))
            values[label] = metrics.conditional_accuracy(probabilities, held.labels)
    return values, _of(held)


def reconstruction(case: EvalContext) -> Found:
    """How far reconstructions of held-out images are from them, means over images."""
    task, held = _output(case, "reconstruct"), _heldout(case)
    x = case.take("heldout", held.size)
    y = apply_in_batches(task.outputs["reconstruct"], case.local_state, x)
    if len(held.shape) != 3:
        return {"Reconstruction, mean squared error": float(np.nanmean((x - y) ** 2, dtype=np.float64))}, _of(held)
    x = x / np.float32(255)
    y = np.clip(y / np.float32(255), 0, 1)
    names = {"binary cross-entropy": "bce", "mean squared error": "mse", "PSNR in decibels": "psnr"}
    names |= {"rounded accuracy": "rounded_accuracy"}
    if min(held.shape[:2]) >= 11:
        names["SSIM"] = "ssim"
    values = {f"Reconstruction, {label}": float(getattr(metrics, n)(x, y).mean()) for label, n in names.items()}
    return values, _of(held)


def likelihood(case: EvalContext) -> Found:
    """Evidence lower bound and importance-weighted bound of held-out examples, in nats an example."""
    task, held = _output(case, "log_weights"), _heldout(case)
    weights = apply_in_batches(task.outputs["log_weights"], case.local_state, case.take("heldout", held.size))
    draws = weights.shape[1]
    return {
        "Evidence lower bound in nats": metrics.importance_bound(weights[:, :1]).mean,
        f"Importance-weighted bound in nats, {draws} draws": metrics.importance_bound(weights).mean,
    }, _of(held) | {"draws": draws}


OF_NETS: dict[str, Callable[[EvalContext, FeatureNet], Found]] = {
    f.__name__: f
    for f in (frechet, kernel, inception_score, precision_recall, density_coverage, classes, conditional_accuracy)
}
OF_SAMPLES: dict[str, Callable[[EvalContext], Found]] = {f.__name__: f for f in (swd, ms_ssim, neighbors, modes)}
OF_RUNS: dict[str, Callable[[EvalContext], Found]] = {
    f.__name__: f for f in (ppl, accuracy, reconstruction, likelihood)
}
METRICS = OF_NETS | OF_SAMPLES | OF_RUNS
NEED_CLASSES = {"inception_score", "classes", "conditional_accuracy"}
WATCHED = {"ppl"}  # those that show their own progress
WITH_HELDOUT = {"neighbors", "accuracy", "reconstruction", "likelihood"}
WITH_SAMPLES = {*OF_NETS, *OF_SAMPLES, "ppl"}
WITH_REFERENCE = {*OF_NETS, *OF_SAMPLES} - {"inception_score", "conditional_accuracy"}


def need_heldout(names: Iterable[str]) -> bool:
    """Whether one of the metrics needs examples that nothing was trained on."""
    return not WITH_HELDOUT.isdisjoint(names)


def parse(text: str) -> list[str]:
    """ "frechet,swd" -> names of METRICS, "all" -> all of them. Raises: InputError for an unknown one."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name != "all" and name not in METRICS:
            raise InputError(f"--metrics: no {name!r}{did_you_mean(name, METRICS)}; there is all, {', '.join(METRICS)}")
    if not names:
        raise InputError(f"--metrics={text!r} names none: expected all, or some of {', '.join(METRICS)}")
    return list(METRICS) if "all" in names else list(dict.fromkeys(names))


def _named(name: str, published: str, net: FeatureNet) -> str:
    return published if net.name == INCEPTION and net.published else f"{name} ({net.name})"


def _as_many(case: EvalContext, net: FeatureNet, k: int):
    """Features of the reference and of as many samples: of unequal sets, the larger has the finer manifold."""
    reference, samples = case.seen(net, "reference").features, case.seen(net, "samples").features
    count = min(len(reference), len(samples))
    if count <= k:
        raise InputError(
            f"k={k} neighbors need at least {k + 1} examples of each: "
            f"got {len(samples)} samples and {len(reference)} of the reference; give more"
        )
    return reference[:count], samples[:count], {"k": k, "of each": count}


def _classes(case: EvalContext, net: FeatureNet) -> np.ndarray:
    found = case.seen(net, "samples").probabilities
    if found is None:
        raise NotApplicable(f"{net.name} has no classes")
    return found


def _images(case: EvalContext) -> None:
    if len(case.samples.shape) != 3:
        raise NotApplicable("it is for images, and these are points")


def _output(case: EvalContext, *names: str):
    if case.task is None:
        raise NotApplicable("it is of a run: give --workdir")
    lacking = [name for name in names if name not in case.task.outputs]
    if lacking:
        raise NotApplicable(f"the task has no output {lacking[0]!r}")
    return case.task


def _heldout(case: EvalContext):
    if case.heldout is None:
        raise NotApplicable("it needs examples that nothing was trained on: name their split with --heldout")
    return case.heldout


def _of(source) -> dict[str, Any]:
    return {"heldout": f"{source.name} {source.split}, {source.size}", "fingerprint": source.fingerprint}
