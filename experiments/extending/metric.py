"""A metric: the energy distance between samples and the reference, zero for equal distributions alone."""

import numpy as np
from scipy.spatial.distance import cdist

from genjax.evaluation.metric import LOWER, Quantity, metric

ENERGY = Quantity("Energy distance", LOWER)
COUNT = 2_000


@metric(ENERGY, applies_to="points, images")
def energy(context):
    """Energy distance, 2 E|x - y| - E|x - x'| - E|y - y'|, of up to 2,000 examples of each set."""
    count = min(COUNT, context.samples.size, context.reference.size)
    x, y = (np.float64(context.take(name, count)).reshape(count, -1) for name in ("samples", "reference"))
    return [ENERGY.value(energy_distance(x, y))], {"count": count}


def energy_distance(x, y) -> float:
    """The energy distance of two samples. Shapes: [N, D], [M, D] -> float. Source: doi:10.1016/j.jspi.2013.03.018."""
    return 2 * cdist(x, y).mean() - cdist(x, x).mean() - cdist(y, y).mean()
