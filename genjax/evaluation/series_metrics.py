"""Metrics of samples that are series."""

from typing import TYPE_CHECKING

from genjax.errors import NotApplicable
from genjax.evaluation.metric import LOWER, Measured, Quantity, metric, warn_of_few

if TYPE_CHECKING:
    from genjax.evaluation.context import EvalContext

SERIES = 10_000  # of each set, the most that are compared
REPEATS = 5
DISCRIMINATIVE_STEPS = 2000
PREDICTIVE_STEPS = 5000

DISCRIMINATIVE = Quantity("Discriminative score", LOWER)
PREDICTIVE = Quantity("Predictive score", LOWER)
PREDICTIVE_OF_REFERENCE = Quantity("Predictive score of the reference", None)


@metric(DISCRIMINATIVE, applies_to="series")
def discriminative(context: "EvalContext") -> Measured:
    """Distance from one half of the accuracy of a GRU, trained to tell samples from the reference."""
    from genjax.metrics.series_scores import discriminative_score

    reference, samples, settings = _series(context)
    score = discriminative_score(reference, samples, seed=0, repeats=REPEATS, iterations=DISCRIMINATIVE_STEPS)
    settings |= {"iterations": DISCRIMINATIVE_STEPS, "test": "a fifth", "count": min(len(reference), len(samples))}
    return [DISCRIMINATIVE.value(score.mean, std=score.std)], settings


@metric(PREDICTIVE, PREDICTIVE_OF_REFERENCE, applies_to="series")
def predictive(context: "EvalContext") -> Measured:
    """Error on the reference of a GRU that samples taught the next step, and of one that the reference taught."""
    from genjax.metrics.series_scores import predictive_score

    reference, samples, settings = _series(context)
    values = []
    for quantity, taught_by in ((PREDICTIVE, samples), (PREDICTIVE_OF_REFERENCE, reference)):
        score = predictive_score(reference, taught_by, seed=0, repeats=REPEATS, iterations=PREDICTIVE_STEPS)
        values.append(quantity.value(score.mean, std=score.std))
    predicted = "last number" if reference.shape[2] > 1 else "number"
    return values, settings | {"iterations": PREDICTIVE_STEPS, "predicted": predicted, "count": len(reference)}


def _series(context):
    """Series of both sets in the range [0, 1], and the settings that both metrics have."""
    from genjax.metrics.series_scores import in_unit_range

    if len(context.samples.shape) != 2:
        raise NotApplicable("it is for series, and these are images or points")
    if context.reference.oracle is not None:
        raise NotApplicable("it is for series of quantities, and these are tokens: take nll_oracle")
    reference, samples = (context.take(name, SERIES) for name in ("reference", "samples"))
    warn_of_few(min(len(reference), len(samples)), "scores of few series are mostly of these series")
    reference, samples, scaled = in_unit_range(reference, samples)
    settings = {"net": f"GRU of {max(1, reference.shape[2] // 2)}", "batch": 128, "repeats": REPEATS, "seed": 0}
    return reference, samples, settings | {"scaled": "by the reference's range" if scaled else "no"}
