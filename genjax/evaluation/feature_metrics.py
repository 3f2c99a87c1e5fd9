"""Metrics of features: each is called once per feature net (`genjax.evaluation.nets`)."""

import warnings
from typing import TYPE_CHECKING

import numpy as np

from genjax import metrics
from genjax.errors import InputError, NotApplicable, did_you_mean
from genjax.evaluation.metric import HIGHER, LOWER, Measured, Quantity, metric, warn_of_few
from genjax.evaluation.selection import select

if TYPE_CHECKING:
    from genjax.evaluation.context import EvalContext
    from genjax.metrics.features import FeatureNet

FRECHET = Quantity("Fréchet distance", LOWER, with_inception="FID")
KERNEL = Quantity("Kernel distance", LOWER, with_inception="KID")
INCEPTION_SCORE = Quantity("Inception score", HIGHER, with_inception="Inception score")
PRECISION = Quantity("Precision", HIGHER)
RECALL = Quantity("Recall", HIGHER)
DENSITY = Quantity("Density", HIGHER)
COVERAGE = Quantity("Coverage", HIGHER)
CLASSES = Quantity("Classes of {classes}", HIGHER)
CLASS_DIVERGENCE = Quantity("Divergence of classes", LOWER, unit="nats")
CONDITIONAL_ACCURACY = Quantity("Conditional accuracy", HIGHER)

CLASSIFIER = "--features=classifier:RUN"
LEAST_SUBSET = 10
"""Examples of a subset of a kernel distance, at least."""
UNBIASED = "the estimate is unbiased: of sets that are alike it may be below 0"


@metric(FRECHET, per_net=True)
def frechet(context: "EvalContext", net: "FeatureNet") -> Measured:
    """Fréchet distance; it is FID with Inception's published weights, and only then."""
    distance = metrics.distance_of_moments(context.moments(net, "samples"), context.moments(net, "reference"))
    return [FRECHET.value(distance, net)], {}


@metric(KERNEL, per_net=True)
def kernel(context: "EvalContext", net: "FeatureNet") -> Measured:
    """Kernel distance, mean and deviation over subsets; it is KID with Inception's published weights.

    Subsets have at most half of the smaller set, so that they differ; too few examples for that have no deviation.
    """
    samples = context.features(net, "samples").features
    reference = context.features(net, "reference").features
    count = min(len(samples), len(reference))
    if count < 2:
        got = f"{len(samples)} samples and {len(reference)} of the reference"
        raise InputError(f"it needs at least 2 examples of each: got {got}; give more")
    several = count >= 2 * LEAST_SUBSET
    settings = {"subsets": 100, "size": min(1000, count // 2), "seed": 0} if several else {"subsets": 1, "size": count}
    distance = metrics.kernel_distance(reference, samples, **settings)
    if not several:
        warnings.warn(f"{count} examples are too few for subsets, so the deviation is unknown: take more", stacklevel=2)
    value = KERNEL.value(distance.mean, net, std=distance.std if several else None)
    return [value._replace(note=UNBIASED) if value.number < 0 else value], settings


@metric(INCEPTION_SCORE, per_net=True, reference=False, probabilities=True, applies_to="nets with classes")
def inception_score(context: "EvalContext", net: "FeatureNet") -> Measured:
    """Inception score, mean and deviation over 10 splits, whatever the order of the images."""
    settings = {"splits": 10, "seed": 0}
    score = metrics.inception_score(_probabilities(context, net), **settings)
    return [INCEPTION_SCORE.value(score.mean, net, std=score.std)], settings


@metric(PRECISION, RECALL, per_net=True)
def precision_recall(context: "EvalContext", net: "FeatureNet") -> Measured:
    """Improved precision and recall with 3 neighbors, of equally many samples and reference examples."""
    reference, samples, settings = _equal_counts(context, net, k=3)
    precision, recall = metrics.precision_recall(reference, samples, k=3)
    return [PRECISION.value(precision, net), RECALL.value(recall, net)], settings


@metric(DENSITY, COVERAGE, per_net=True)
def density_coverage(context: "EvalContext", net: "FeatureNet") -> Measured:
    """Density and coverage with 5 neighbors, of equally many samples and reference examples."""
    reference, samples, settings = _equal_counts(context, net, k=5)
    density, coverage = metrics.density_coverage(reference, samples, k=5)
    return [DENSITY.value(density, net), COVERAGE.value(coverage, net)], settings


@metric(CLASSES, CLASS_DIVERGENCE, per_net=True, probabilities=True, applies_to=f"`{CLASSIFIER}`")
def classes(context: "EvalContext", net: "FeatureNet") -> Measured:
    """Number of the data's classes among samples, and KL of their shares to the shares in the data."""
    _need_classifier(net)
    count = len(net.classes)
    labels = context.reference.labels
    if labels is None:
        labels = context.features(net, "reference").probabilities.argmax(1)
    shares = np.bincount(labels, minlength=count) / len(labels)
    covered, divergence = metrics.count_classes(_probabilities(context, net).argmax(1), shares)
    values = [CLASSES.value(covered, net, classes=count), CLASS_DIVERGENCE.value(divergence, net)]
    return values, {"shares": "predicted" if context.reference.labels is None else "labels"}


@metric(CONDITIONAL_ACCURACY, per_net=True, reference=False, probabilities=True, applies_to=f"`{CLASSIFIER}`")
def conditional_accuracy(context: "EvalContext", net: "FeatureNet") -> Measured:
    """Share of labeled samples (by class, or by sub-folder) whose predicted class is their label."""
    _need_classifier(net)
    if context.samples.labels is None:
        raise NotApplicable("samples have no labels (sub-folders of --images are labels)")
    names = context.samples.label_names
    unknown = [name for name in names if name not in net.classes]
    if unknown:
        raise InputError(
            f"samples are labeled {unknown[0]!r}{did_you_mean(unknown[0], net.classes)}: "
            f"expected the classes of {net.name}, {', '.join(net.classes)}"
        )
    probabilities = _probabilities(context, net)
    labels = np.array([net.classes.index(name) for name in names])[context.samples.labels]
    warn_of_few(len(probabilities))
    accuracy = metrics.conditional_accuracy(probabilities, labels[select(len(labels), len(probabilities))])
    return [CONDITIONAL_ACCURACY.value(accuracy, net)], {}


def _equal_counts(context, net, k):
    """Features of equally many reference examples and samples, because a larger set has a finer manifold."""
    reference = context.features(net, "reference").features
    samples = context.features(net, "samples").features
    count = min(len(reference), len(samples))
    if count <= k:
        raise InputError(
            f"k={k} neighbors need at least {k + 1} examples of each: "
            f"got {len(samples)} samples and {len(reference)} of the reference; give more"
        )
    warn_of_few(count)
    reference = reference[context.select("reference", count, len(reference))]
    samples = samples[context.select("samples", count, len(samples))]
    return reference, samples, {"k": k, "of each": count}


def _need_classifier(net):
    if not net.classes:
        raise NotApplicable(f"it needs a classifier of the data: {CLASSIFIER}")


def _probabilities(context, net):
    probabilities = context.features(net, "samples").probabilities
    if probabilities is None:
        raise NotApplicable(f"{net.name} has no classes")
    return probabilities
