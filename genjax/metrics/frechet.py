"""Fréchet distance between Gaussians, and the moments that make one of a stream of features.

Source: arXiv:1706.08500, eq. 6. With Inception's features it is FID; the arithmetic does not know whose they are.
"""

import warnings
from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import dpstrf

from genjax.errors import InputError
from genjax.metrics import checks


def frechet_distance(mean1, cov1, mean2, cov2):
    """Squared 2-Wasserstein distance of two Gaussians, |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^1/2).

    The last trace is the sum of the singular values of A' B, where S1 = A A' and S2 = B B': the roots of the
    eigenvalues of S1^1/2 S2 S1^1/2, had without taking the root of a rounding error. So it is real and finite for
    covariances of any rank; what rounding leaves below zero is zero.
    Shapes: means [D], covariances [D, D] -> float, in squared units of the features.
    Raises: InputError for other shapes, NaN, or a covariance that is not symmetric.
    """
    mean1, cov1 = _gaussian("1", mean1, cov1)
    mean2, cov2 = _gaussian("2", mean2, cov2)
    checks.same_shape("mean1", mean1, "mean2", mean2)
    overlap = np.linalg.svd(_factor(cov1).T @ _factor(cov2), compute_uv=False).sum()
    return max(0.0, float(np.sum((mean1 - mean2) ** 2) + np.trace(cov1) + np.trace(cov2) - 2 * overlap))


class Moments(NamedTuple):
    """How many examples there were, their mean and their summed outer products about it, in float64.

    A tuple of plain arrays: `np.savez(path, **moments._asdict())` keeps it and `Moments(**np.load(path))` goes on.
    Parts of a stream, in whatever batches and processes, give the same to rounding as the whole.
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
        """These and a batch's. Shapes: x [N, D]. Raises: InputError for another width or NaN."""
        x = checks.table("features", x).astype(np.float64)
        mean = x.mean(0)
        self._expect(mean)
        return self._joined(len(x), mean, x - mean)

    def merge(self, other):
        """These and another part's. Raises: InputError for another width."""
        self._expect(other.mean)
        if not other.count:
            return self
        merged = self._joined(int(other.count), other.mean, np.empty((0, len(self.mean))))
        return merged._replace(scatter=merged.scatter + other.scatter)

    @property
    def cov(self):
        """The unbiased covariance. Warns where it must be singular. Raises: InputError for fewer than 2 examples."""
        count, width = int(self.count), len(self.mean)
        if count < 2:
            raise InputError(f"a covariance of {count} examples does not exist: expected at least 2; add more.")
        if count <= width:
            warnings.warn(
                f"{count} examples in {width} dimensions have a singular covariance: the Fréchet distance is finite "
                f"but far above that of many examples; take more than {width}.",
                stacklevel=2,
            )
        return self.scatter / (count - 1)

    def _joined(self, count, mean, centered):
        """Chan, Golub and LeVeque's pairwise update, as one product: the means' difference is one row more."""
        total, step = int(self.count) + count, mean - self.mean
        rows = np.vstack([centered, step * np.sqrt(int(self.count) * count / total)])
        return Moments(total, self.mean + step * (count / total), self.scatter + rows.T @ rows)

    def _expect(self, mean):
        if mean.shape != self.mean.shape:
            raise InputError(f"features have {len(mean)} numbers each: expected {len(self.mean)}, as those before.")


def _gaussian(number, mean, cov):
    mean = checks.finite(f"mean{number}", mean).astype(np.float64)
    cov = checks.finite(f"cov{number}", cov).astype(np.float64)
    if mean.ndim != 1 or cov.shape != 2 * mean.shape:
        raise InputError(f"mean{number} {mean.shape} and cov{number} {cov.shape}: expected [D] and [D, D].")
    if not np.allclose(cov, cov.T, rtol=1e-6, atol=1e-9 * np.abs(cov).max(initial=0)):
        raise InputError(f"cov{number} is not symmetric: expected a covariance, as np.cov(x, rowvar=False).")
    return mean, cov


def _factor(cov):
    """A with cov = A A', as wide as the covariance's rank: Cholesky's with pivots. Shapes: [D, D] -> [D, rank]."""
    noise = np.finfo(np.float64).eps * max(cov.diagonal().max(initial=0), np.finfo(np.float64).tiny)
    lower, pivots, rank, _ = dpstrf(cov, lower=1, tol=noise)
    factor = np.zeros((len(cov), rank))
    factor[pivots - 1] = np.tril(lower)[:, :rank]
    return factor
