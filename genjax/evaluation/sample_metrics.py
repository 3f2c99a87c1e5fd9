"""Metrics of samples themselves, images or points, without a feature net."""

import warnings
from math import comb
from typing import TYPE_CHECKING

import numpy as np

from genjax import metrics
from genjax.errors import NotApplicable
from genjax.evaluation.metric import HIGHER, LOWER, Measured, Quantity, metric, warn_of_few
from genjax.report import neighbors as neighbors_image

if TYPE_CHECKING:
    from genjax.evaluation.context import EvalContext

PATCHED = 8192  # images of each set for a sliced Wasserstein distance
PAIRED = 10_000  # images from which MS-SSIM draws its pairs
PAIRS = 1000
SEARCHED = 1000  # samples whose nearest neighbors are searched

SLICED = Quantity("Sliced Wasserstein distance", LOWER)
SIMILARITY = Quantity("MS-SSIM of pairs of samples", None)
SIMILARITY_OF_REFERENCE = Quantity("MS-SSIM of pairs of the reference", None)
SIMILARITY_GAP = Quantity("MS-SSIM of pairs, distance from the reference's", LOWER)
NEAREST = Quantity("Nearest neighbor of samples, median distance", None)
NEAREST_OF_HELDOUT = Quantity("Nearest neighbor of held-out examples, median distance", None)
COPIES = Quantity("Copies of the reference", LOWER)
MODES = Quantity("Modes of {modes}", HIGHER)
GOOD = Quantity("High-quality samples", HIGHER)
MODE_DIVERGENCE = Quantity("Divergence of modes", LOWER, unit="nats")


@metric(SLICED, applies_to="images")
def swd(context: "EvalContext") -> Measured:
    """Sliced Wasserstein distance, of each level of a Laplacian pyramid and their mean."""
    need_images(context)
    count = min(context.samples.size, context.reference.size, PATCHED)
    warn_of_few(count, f"the distance of {count} images to {count} is mostly that of these images")
    distance = metrics.sliced_wasserstein(context.take("reference", count), context.take("samples", count), seed=0)
    values = [SLICED.value(distance.mean)]
    if len(distance.levels) > 1:
        values += [SLICED.value(number, detail=f"{size} pixels") for size, number in distance.levels.items()]
    return values, {"count": count, "patches": 128, "seed": 0}


@metric(SIMILARITY, SIMILARITY_OF_REFERENCE, SIMILARITY_GAP, applies_to="images")
def ms_ssim(context: "EvalContext") -> Measured:
    """Mean MS-SSIM of 1,000 random pairs; neither high (a collapse) nor low (noise) is good, but near the reference."""
    need_images(context)
    settings = {"pairs": PAIRS, "seed": 0}
    samples, reference = (
        metrics.ms_ssim_diversity(context.take(name, PAIRED), **settings, data_range=np.iinfo(source.dtype).max)
        for name, source in (("samples", context.samples), ("reference", context.reference))
    )
    pairs = {name: min(PAIRS, comb(getattr(context, name).size, 2)) for name in ("samples", "reference")}
    if min(pairs.values()) < PAIRS:
        settings["pairs"] = f"{pairs['samples']} of samples, {pairs['reference']} of the reference"
        warnings.warn(f"there are fewer than {PAIRS:,} pairs ({settings['pairs']}): take more images", stacklevel=2)
    values = [
        SIMILARITY.value(samples),
        SIMILARITY_OF_REFERENCE.value(reference),
        SIMILARITY_GAP.value(abs(samples - reference)),
    ]
    return values, settings | {"of": PAIRED}


@metric(NEAREST, COPIES, NEAREST_OF_HELDOUT, heldout=True)
def neighbors(context: "EvalContext") -> Measured:
    """Distance of samples to the nearest reference examples, and of held-out examples; copies; `neighbors.png`."""
    samples = context.take("samples", SEARCHED)
    train = context.take("reference", context.reference.size)
    unit = np.sqrt(samples[0].size) * (np.iinfo(samples.dtype).max if samples.dtype.kind == "u" else 1)
    nearest = metrics.nearest_neighbors(samples, train, k=min(5, len(train)))
    values = [
        NEAREST.value(np.median(nearest.distances[:, 0]) / unit),
        COPIES.value(int((nearest.distances[:, 0] == 0).sum())),
    ]
    settings = {"samples": len(samples), "distance": "Euclidean, root mean square of pixels from 0 to 1"}
    if context.heldout is not None:
        heldout = metrics.nearest_neighbors(context.take("heldout", SEARCHED), train).distances[:, 0]
        values.append(NEAREST_OF_HELDOUT.value(np.median(heldout) / unit))
        settings["heldout"] = f"{context.heldout.name} {context.heldout.split}, {len(heldout)}"
    if samples.ndim == 4:
        image = neighbors_image.draw(samples, train, nearest.indices, nearest.distances / unit)
        context.images["neighbors.png"] = image
    return values, settings


@metric(MODES, GOOD, MODE_DIVERGENCE, applies_to="points of mixtures of Gaussians, such as `ring8`")
def modes(context: "EvalContext") -> Measured:
    """Modes of a mixture of Gaussians that samples cover, share of good samples, and KL of modes."""
    mixture = context.reference.mixture
    if mixture is None:
        raise NotApplicable("it is for mixtures of Gaussians, such as ring8; for images take the metric classes")
    samples = context.take("samples", context.samples.size)
    warn_of_few(len(samples))
    covered, good, divergence = metrics.count_modes(samples, mixture.centers, mixture.std)
    values = [
        MODES.value(covered, modes=len(mixture.centers)),
        GOOD.value(good),
        MODE_DIVERGENCE.value(divergence),
    ]
    return values, {"within": "3 standard deviations"}


def need_images(context: "EvalContext") -> None:
    """Raises: NotApplicable unless samples are images."""
    if len(context.samples.shape) != 3:
        raise NotApplicable("it is for images, and these are points")
