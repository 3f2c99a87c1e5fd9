"""Metrics of image-to-image translation: distances of outputs from their targets, and of round trips."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from genjax import metrics
from genjax.errors import NotApplicable
from genjax.evaluation.metric import HIGHER, LOWER, Measured, Quantity, Value, metric
from genjax.evaluation.run_metrics import applied, describe

if TYPE_CHECKING:
    from genjax.evaluation.context import EvalContext

MAE = Quantity("Translation, mean absolute error", LOWER)
PSNR = Quantity("Translation, PSNR", HIGHER, unit="decibels")
SSIM = Quantity("Translation, SSIM", HIGHER)
PERCEPTUAL = Quantity("Translation, perceptual distance ({distance})", LOWER)
FRECHET = Quantity("Translation, Fréchet distance ({features})", LOWER)
CYCLE = Quantity("Round trip, mean absolute error", LOWER)

Pairs = Iterable[tuple[np.ndarray, np.ndarray]]
"""Blocks of targets and of translations, uint8 [N, H, W, C]."""


@metric(MAE, PSNR, SSIM, samples=False, reference=False, heldout=True, applies_to="translations")
def translation(context: "EvalContext") -> Measured:
    """Distances of translations of held-out inputs from their targets, means over examples."""
    return pixel_distances(_translated(context)), describe(context.heldout)


@metric(PERCEPTUAL, FRECHET, samples=False, reference=False, heldout=True, applies_to="translations, gray or in color")
def translation_features(context: "EvalContext") -> Measured:
    """Perceptual distance of translations of held-out inputs from their targets, Fréchet distance of the two sets."""
    return feature_distances(_translated(context)), describe(context.heldout)


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
            y = _pixels(apply_in_batches(task.outputs[output], context.local_state, y))
        error = np.abs(y / np.float32(255) - x / np.float32(255)).mean((1, 2, 3), np.float64)
        values.append(CYCLE.value(error.mean(), detail=f"of {name}"))
    return values, describe(heldout)


def pixel_distances(pairs: Pairs) -> list[Value]:
    """Mean absolute error, PSNR and, of images that are large enough, SSIM: means over images, pixels from 0 to 1."""
    each = {MAE: [], PSNR: [], SSIM: []}
    for targets, translations in pairs:
        x, y = targets / np.float32(255), translations / np.float32(255)
        each[MAE].append(np.abs(x - y).mean((1, 2, 3), np.float64))
        each[PSNR].append(metrics.psnr(x, y))
        if min(x.shape[1:3]) >= metrics.similarity.WINDOW:
            each[SSIM].append(metrics.ssim(x, y))
    return [quantity.value(np.concatenate(numbers).mean()) for quantity, numbers in each.items() if numbers]


def feature_distances(pairs: Pairs) -> list[Value]:
    """Mean perceptual distance of images from their targets, and the Fréchet distance of the two sets.

    Both are of the packaged SqueezeNet. Raises: NotApplicable for images that are neither gray nor in color.
    """
    from genjax.engine.outputs import apply_in_batches
    from genjax.metrics.features import extract, squeezenet
    from genjax.metrics.frechet import Moments
    from genjax.metrics.perceptual import NAME, perceptual_distance

    net, distance = squeezenet(), perceptual_distance()

    def of_pairs(_, pairs):
        return distance(pairs[:, 0], pairs[:, 1])

    moments, distances = [Moments.empty(net.dimension)] * 2, []
    for both in pairs:
        if (channels := both[0].shape[-1]) not in (1, 3):
            raise NotApplicable(f"SqueezeNet takes gray and color: got {channels} channels")
        distances.append(apply_in_batches(of_pairs, None, np.stack(both, 1)))
        moments = [sums.add(extract(net, x).features) for sums, x in zip(moments, both, strict=True)]
    mean = np.concatenate(distances).mean(dtype=np.float64)
    frechet = metrics.distance_of_moments(*moments)
    return [PERCEPTUAL.value(mean, distance=NAME), FRECHET.value(frechet, features=net.name)]


def _translated(context) -> Pairs:
    """Blocks of held-out targets and of a run's translations."""
    context.need_outputs("translate")
    context.need_heldout()
    for pairs, y in applied(context, "translate"):
        yield pairs[..., -y.shape[-1] :], _pixels(y)


def _pixels(y):
    return np.clip(np.round(y), 0, 255).astype(np.uint8)
