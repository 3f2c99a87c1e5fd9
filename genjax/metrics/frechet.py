"""Fréchet distance between Gaussians, and the moments of a stream of features.

Source: arXiv:1706.08500, eq. 6. On Inception's features it is FID.
"""

import warnings
from typing import NamedTuple

import numpy as np

from genjax.errors import InputError
from genjax.metrics import checks


def frechet_distance(mean1, cov1, mean2, cov2):
    """Squared 2-Wasserstein distance of two Gaussians, |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^1/2).

    The last trace is the sum of the singular values of A' B, where S1 = A A' and S2 = B B': the roots of the
    eigenvalues of S1^1/2 S2 S1^1/2, without the root of a rounding error. So the distance is real and finite for
    covariances of any rank; a result that rounding leaves below zero becomes zero.
    Shapes: means [D], covariances [D, D] -> float, in squared units of the features.
    Raises: InputError for other shapes, NaN, or a covariance that is not symmetric.
    """
    mean1, cov1 = _gaussian("1", mean1, cov1)
    mean2, cov2 = _gaussian("2", mean2, cov2)
    checks.same_shape("mean1", mean1, "mean2", mean2)
    overlap = np.linalg.svd(_factor(cov1).T @ _factor(cov2), compute_uv=False).sum()
    return max(0.0, float(np.sum((mean1 - mean2) ** 2) + np.trace(cov1) + np.trace(cov2) - 2 * overlap))


def distance_of_moments(samples, reference):
    """The Fréchet distance of two sets by their `Moments`; one warning names the sets that are too small.

    Raises: InputError as `frechet_distance` and `Moments.cov`.
    """
    named = ((samples, "samples"), (reference, "examples of the reference"))
    width = len(reference.mean)
    few = [f"{int(moments.count):,} {name}" for moments, name in named if moments.count <= width]
    with warnings.catch_warnings(action="ignore"):
        covariances = reference.cov, samples.cov
    if few:
        _warn_of_rank(" and ".join(few), width)
    return frechet_distance(reference.mean, covariances[0], samples.mean, covariances[1])


class Moments(NamedTuple):
    """Count of examples, their mean and the sum of their outer products about the mean, in float64.

    A tuple of plain arrays: `np.savez(path, **moments._asdict())` saves it and `Moments(**np.load(path))` restores it.
    The result does not depend on the batch sizes of the stream, except for rounding.
    Shapes: count [], mean [D], scatter [D, D].
    """

    count: int
    mean: np.ndarray
    scatter: np.ndarray

    @classmethod
    def empty(cls, width):
        """The moments of no examples of `width` numbers each."""
        return cls(0, np.zeros(width), np.zeros((width, width)))

    def add(self, x):
        """The moments with one more batch, by the pairwise update of Chan, Golub and LeVeque.

        Shapes: x [N, D]. Raises: InputError for another width or NaN.
        """
        x = checks.table("features", x).astype(np.float64)
        if x.shape[1:] != self.mean.shape:
            raise InputError(f"features have {x.shape[1]} numbers each: expected {len(self.mean)}, as before.")
        mean = x.mean(0)
        old = int(self.count)
        total = old + len(x)
        shift = mean - self.mean
        rows = np.vstack([x - mean, shift * np.sqrt(old * len(x) / total)])  # one product for both parts of the update
        return Moments(total, self.mean + shift * (len(x) / total), self.scatter + rows.T @ rows)

    @property
    def cov(self):
        """The unbiased covariance. Warns if it must be singular. Raises: InputError for fewer than 2 examples."""
        count = int(self.count)
        width = len(self.mean)
        if count < 2:
            raise InputError(f"a covariance of {count} examples does not exist: expected at least 2; add more.")
        if count <= width:
            _warn_of_rank(f"{count} examples", width)
        return self.scatter / (count - 1)


def _warn_of_rank(few, width):
    warnings.warn(
        f"{few} in {width} dimensions have a singular covariance: the Fréchet distance is finite, but far above its "
        f"value for many examples; take more than {width}.",
        stacklevel=3,
    )


def _gaussian(number, mean, cov):
    mean = checks.finite(f"mean{number}", mean).astype(np.float64)
    cov = checks.finite(f"cov{number}", cov).astype(np.float64)
    if mean.ndim != 1 or cov.shape != 2 * mean.shape:
        raise InputError(f"mean{number} {mean.shape} and cov{number} {cov.shape}: expected [D] and [D, D].")
    if not np.allclose(cov, cov.T, rtol=1e-6, atol=1e-9 * np.abs(cov).max(initial=0)):
        raise InputError(f"cov{number} is not symmetric: expected a covariance, as np.cov(x, rowvar=False).")
    return mean, cov


def _factor(cov):
    """A with cov = A A', by Cholesky's decomposition with pivots. Shapes: [D, D] -> [D, rank]."""
    from scipy.linalg.lapack import dpstrf

    noise = np.finfo(np.float64).eps * max(cov.diagonal().max(initial=0), np.finfo(np.float64).tiny)
    lower, pivots, rank, _ = dpstrf(cov, lower=1, tol=noise)
    factor = np.zeros((len(cov), rank))
    factor[pivots - 1] = np.tril(lower)[:, :rank]
    return factor
