"""Metrics of a run's outputs other than samples: decoders, classifiers, autoencoders."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from genjax import metrics
from genjax.data.source import Source
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
            probabilities = np.concatenate([p for _, p in applied(context, output)])
            values.append(quantity.value(metrics.conditional_accuracy(probabilities, heldout.labels)))
    return values, describe(heldout)


@metric(BCE, MSE, PSNR, ROUNDED, SSIM, samples=False, reference=False, heldout=True, applies_to="autoencoders")
def reconstruction(context: "EvalContext") -> Measured:
    """Errors of reconstructions of held-out examples, means over examples; the squared error alone for points."""
    context.need_outputs("reconstruct")
    heldout = context.need_heldout()
    if len(heldout.shape) != 3:
        squared = ((x - y) ** 2 for x, y in applied(context, "reconstruct"))
        sums = np.array([(np.nansum(z, dtype=np.float64), np.isfinite(z).sum()) for z in squared]).sum(0)
        return [MSE.value(sums[0] / sums[1])], describe(heldout)
    measures = {BCE: metrics.bce, MSE: metrics.mse, PSNR: metrics.psnr, ROUNDED: metrics.rounded_accuracy}
    if min(heldout.shape[:2]) >= metrics.similarity.WINDOW:
        measures[SSIM] = metrics.ssim
    each = {quantity: [] for quantity in measures}
    for x, y in applied(context, "reconstruct"):
        x = x / np.float32(np.iinfo(x.dtype).max)
        y = np.clip(y / np.float32(255), 0, 1)
        for quantity, measure in measures.items():
            each[quantity].append(measure(x, y))
    return [quantity.value(np.concatenate(errors).mean()) for quantity, errors in each.items()], describe(heldout)


@metric(ELBO, IMPORTANCE_BOUND, samples=False, reference=False, heldout=True, applies_to="variational autoencoders")
def likelihood(context: "EvalContext") -> Measured:
    """Evidence lower bound and importance-weighted bound of held-out examples, in nats per example."""
    context.need_outputs("log_weights")
    heldout = context.need_heldout()
    weights = np.concatenate([w for _, w in applied(context, "log_weights")])
    draws = weights.shape[1]
    values = [
        ELBO.value(metrics.importance_bound(weights[:, :1]).mean),
        IMPORTANCE_BOUND.value(metrics.importance_bound(weights).mean, detail=f"{draws} draws"),
    ]
    return values, describe(heldout) | {"draws": draws}


def applied(context: "EvalContext", output: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Blocks of held-out examples, each with what an output of the task gives for it."""
    from genjax.engine.outputs import apply_in_batches
    from genjax.evaluation.examples import blocks

    for x in blocks(context.heldout, np.arange(context.heldout.size)):
        yield x, apply_in_batches(context.task.outputs[output], context.local_state, x)


def describe(source: Source) -> dict[str, str]:
    """The held-out examples, for the protocol."""
    described = {"heldout": f"{source.name} {source.split}, {source.size}", "fingerprint": source.fingerprint}
    return described | ({"form": source.form} if source.form else {})
