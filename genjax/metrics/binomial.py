"""The interval of a share that was estimated from counts."""

from genjax.errors import InputError
from genjax.metrics import checks


def binomial_interval(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Clopper and Pearson's interval of a probability: it holds the true one in at least `confidence` of all cases.

    It is exact, so never too narrow, and a little wider than approximate ones such as Wilson's.
    Source: Clopper and Pearson, "The use of confidence or fiducial limits", doi:10.1093/biomet/26.4.404; as quantiles
    of the beta distribution.
    Raises: InputError for counts that are none, or a confidence outside (0, 1).
    """
    from scipy.special import betaincinv

    checks.count("trials", trials, 0)
    checks.count("successes", successes, 0)
    if successes > trials:
        raise InputError(f"{successes} successes of {trials} trials: expected no more than the trials.")
    if not 0 < confidence < 1:
        raise InputError(f"confidence is {confidence}: expected a number between 0 and 1, such as 0.95.")
    tail = (1 - confidence) / 2
    low = betaincinv(successes, trials - successes + 1, tail) if successes else 0.0
    high = betaincinv(successes + 1, trials - successes, 1 - tail) if successes < trials else 1.0
    return float(low), float(high)
