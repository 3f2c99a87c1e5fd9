"""Metrics of a run's outputs other than samples: decoders, classifiers, autoencoders."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from genjax import metrics
from genjax.errors import NotApplicable
from genjax.evaluation.metric import HIGHER, LOWER, Measured, Quantity, metric, warn_of_few
from genjax.evaluation.sample_metrics import need_images

if TYPE_CHECKING:
    from genjax.evaluation.context import EvalContext

PATHS = 2000  # of a perceptual path length

PATH_LENGTH = Quantity("Perceptual path length ({distance}; {space}, full)", LOWER)
ACCURACY = Quantity("Accuracy", HIGHER)
ACCURACY_FROM_SCRATCH = Quantity("Accuracy from scratch", HIGHER)
BCE = Quantity("Reconstruction, binary cross-entropy", LOWER)
MSE = Quantity("Reconstruction, mean squared error", LOWER)
PSNR = Quantity("Reconstruction, PSNR", HIGHER, unit="decibels")
ROUNDED = Quantity("Reconstruction, rounded accuracy", HIGHER)
SSIM = Quantity("Reconstruction, SSIM", HIGHER)
TRANSLATION_MAE = Quantity("Translation, mean absolute error", LOWER)
TRANSLATION_PSNR = Quantity("Translation, PSNR", HIGHER, unit="decibels")
TRANSLATION_SSIM = Quantity("Translation, SSIM", HIGHER)
CYCLE = Quantity("Round trip, mean absolute error", LOWER)
ELBO = Quantity("Evidence lower bound", HIGHER, unit="nats")
IMPORTANCE_BOUND = Quantity("Importance-weighted bound", HIGHER, unit="nats")


@metric(PATH_LENGTH, reference=False, own_progress=True, applies_to="runs with a decoder")
def ppl(context: "EvalContext") -> Measured:
    """Perceptual path length in z, and in w of a StyleGAN, over 2,000 paths each.

    Images are neither rounded nor cropped. Each path has one class, that of a sample. Truncation applies to latents,
    or to w if the generator has them; noise is constant, whatever that of the samples is.
    """
    from genjax.engine.outputs import EVAL_BATCH, apply_in_batches
    from genjax.metrics import perceptual

    task = context.need_outputs("decode", "latents")
    state = context.local_state
    need_images(context)
    ema = context.options.get("ema", True)
    truncation = context.options.get("truncation")
    count = min(PATHS, context.samples.size // 2)
    if count < 1:
        raise NotApplicable("it needs two samples")
    z = apply_in_batches(task.outputs["latents"], state, np.arange(2 * count, dtype=np.int32), truncation=truncation)
    label = np.eye(task.classes, dtype=np.float32)[context.samples.labels[:count]] if task.classes else None
    decode = partial(apply_in_batches, task.outputs["decode"], state, ema=ema)
    spaces = {"z": (z[..., : z.shape[-1] - task.classes], label, "slerp", decode)}
    if "map" in task.outputs:
        if task.classes:
            z[..., -task.classes :] = label.repeat(2, 0)
        w = apply_in_batches(task.outputs["map"], state, z, ema=ema)
        synthesize = partial(apply_in_batches, task.outputs["synthesize"], state, ema=ema, truncation=truncation)
        spaces["w"] = (w, None, "lerp", synthesize)
    warn_of_few(count, f"the mean of {count} paths is mostly that of these paths")
    perceptual_distance = perceptual.perceptual_distance()
    measured = 0

    def distance_of_pairs(_, pairs):
        return perceptual_distance(pairs[:, 0], pairs[:, 1])

    values = []
    with context.progress("perceptual path", count * len(spaces)) as on_progress:

        def distance(x, y):
            nonlocal measured
            distances = apply_in_batches(distance_of_pairs, None, np.stack([x, y], 1))
            measured += len(distances)
            on_progress(measured)
            return distances

        for space, (latents, constant, path, generate) in spaces.items():
            length = metrics.perceptual_path_length(
                generate, distance, latents[0::2], latents[1::2], constant=constant, path=path, batch=EVAL_BATCH, seed=0
            )
            values.append(PATH_LENGTH.value(length, distance=perceptual.NAME, space=space))
    settings = {"paths": count, "space": " and ".join(spaces), "sampling": "full", "epsilon": 1e-4}
    settings |= {"distance": perceptual.NAME, "seed": 0}
    if "noise" in context.options:
        settings["noise"] = "constant"
    if task.classes:
        settings["class"] = "a sample's"
    return values, settings


@metric(ACCURACY, ACCURACY_FROM_SCRATCH, samples=False, reference=False, heldout=True, applies_to="classifiers")
def accuracy(context: "EvalContext") -> Measured:
    """Accuracy on held-out examples; with pretraining, also that of the control trained from scratch."""
    task = context.need_outputs("classify")
    heldout = context.need_heldout()
    if heldout.labels is None:
        raise NotApplicable(f"{heldout.name} has no labels")
    warn_of_few(heldout.size)
    values = []
    for quantity, output in ((ACCURACY, "classify"), (ACCURACY_FROM_SCRATCH, "classify_scratch")):
        if output in task.outputs:
            probabilities = np.concatenate([p for _, p in _applied(context, output)])
            values.append(quantity.value(metrics.conditional_accuracy(probabilities, heldout.labels)))
    return values, _describe(heldout)


@metric(BCE, MSE, PSNR, ROUNDED, SSIM, samples=False, reference=False, heldout=True, applies_to="autoencoders")
def reconstruction(context: "EvalContext") -> Measured:
    """Errors of reconstructions of held-out examples, means over examples; the squared error alone for points."""
    context.need_outputs("reconstruct")
    heldout = context.need_heldout()
    if len(heldout.shape) != 3:
        squared = ((x - y) ** 2 for x, y in _applied(context, "reconstruct"))
        sums = np.array([(np.nansum(z, dtype=np.float64), np.isfinite(z).sum()) for z in squared]).sum(0)
        return [MSE.value(sums[0] / sums[1])], _describe(heldout)
    measures = {BCE: metrics.bce, MSE: metrics.mse, PSNR: metrics.psnr, ROUNDED: metrics.rounded_accuracy}
    if min(heldout.shape[:2]) >= metrics.similarity.WINDOW:
        measures[SSIM] = metrics.ssim
    each = {quantity: [] for quantity in measures}
    for x, y in _applied(context, "reconstruct"):
        x = x / np.float32(np.iinfo(x.dtype).max)
        y = np.clip(y / np.float32(255), 0, 1)
        for quantity, measure in measures.items():
            each[quantity].append(measure(x, y))
    return [quantity.value(np.concatenate(errors).mean()) for quantity, errors in each.items()], _describe(heldout)


@metric(
    TRANSLATION_MAE,
    TRANSLATION_PSNR,
    TRANSLATION_SSIM,
    samples=False,
    reference=False,
    heldout=True,
    applies_to="translations",
)
def translation(context: "EvalContext") -> Measured:
    """Distances of translations of held-out inputs from their targets, means over examples."""
    context.need_outputs("translate")
    heldout = context.need_heldout()
    measures = {TRANSLATION_MAE: lambda x, y: np.abs(x - y).mean((1, 2, 3), np.float64), TRANSLATION_PSNR: metrics.psnr}
    if min(heldout.shape[:2]) >= metrics.similarity.WINDOW:
        measures[TRANSLATION_SSIM] = metrics.ssim
    each = {quantity: [] for quantity in measures}
    for pairs, y in _applied(context, "translate"):
        x = pairs[..., -y.shape[-1] :] / np.float32(255)
        y = np.clip(np.round(y), 0, 255) / np.float32(255)
        for quantity, measure in measures.items():
            each[quantity].append(measure(x, y))
    return [quantity.value(np.concatenate(errors).mean()) for quantity, errors in each.items()], _describe(heldout)


@metric(CYCLE, samples=False, reference=False, heldout=True, applies_to="unpaired translations")
def cycle(context: "EvalContext") -> Measured:
    """Distances of held-out images from themselves after a round trip, means over all images of each set."""
    from genjax.engine.outputs import apply_in_batches

    task = context.need_outputs("to_b", "to_a")
    heldout = context.need_heldout()
    sets = np.split(heldout.read(np.arange(max(heldout.parts or (heldout.size,)))), 2, -1)
    values = []
    for name, x, (there, back) in zip("AB", sets, (("to_b", "to_a"), ("to_a", "to_b")), strict=True):
        y = x
        for output in (there, back):
            y = apply_in_batches(task.outputs[output], context.local_state, y)
            y = np.clip(np.round(y), 0, 255).astype(np.uint8)
        error = np.abs(y / np.float32(255) - x / np.float32(255)).mean((1, 2, 3), np.float64)
        values.append(CYCLE.value(error.mean(), detail=f"of {name}"))
    return values, _describe(heldout)


@metric(ELBO, IMPORTANCE_BOUND, samples=False, reference=False, heldout=True, applies_to="variational autoencoders")
def likelihood(context: "EvalContext") -> Measured:
    """Evidence lower bound and importance-weighted bound of held-out examples, in nats per example."""
    context.need_outputs("log_weights")
    heldout = context.need_heldout()
    weights = np.concatenate([w for _, w in _applied(context, "log_weights")])
    draws = weights.shape[1]
    values = [
        ELBO.value(metrics.importance_bound(weights[:, :1]).mean),
        IMPORTANCE_BOUND.value(metrics.importance_bound(weights).mean, detail=f"{draws} draws"),
    ]
    return values, _describe(heldout) | {"draws": draws}


def _applied(context, output):
    """Blocks of held-out examples, each with what an output of the task gives for it."""
    from genjax.engine.outputs import apply_in_batches
    from genjax.evaluation.examples import blocks

    for x in blocks(context.heldout, np.arange(context.heldout.size)):
        yield x, apply_in_batches(context.task.outputs[output], context.local_state, x)


def _describe(source):
    described = {"heldout": f"{source.name} {source.split}, {source.size}", "fingerprint": source.fingerprint}
    return described | ({"form": source.form} if source.form else {})
