"""Closed forms for two Gaussians on a line: reals from N(0, s) and fakes from N(theta, s).

s is the standard deviation. Everything is integrated numerically, in float64; divergences are in nats.
"""

import numpy as np
from scipy.special import expit, ndtr

STD = 0.1


def jensen_shannon(theta: float, std: float = STD) -> float:
    """Jensen-Shannon divergence, at most log 2. Source: arXiv:1406.2661, theorem 1."""
    x, p, q = _densities(theta, std)
    middle = np.logaddexp(p, q) - np.log(2)
    return float(np.trapezoid(np.exp(p) * (p - middle) + np.exp(q) * (q - middle), x) / 2)


def optimal_slopes(theta: float, std: float = STD) -> tuple[float, float]:
    """d/d theta of the minimax and of the non-saturating generator loss, the optimal discriminator being fixed.

    The optimal logit log p/q has slope -theta / s^2 everywhere. The minimax loss passes on the share E_q D of it, which
    is almost nothing where the distributions are far apart; the non-saturating loss passes on E_q (1 - D).
    Source: arXiv:1406.2661, proposition 1.
    """
    x, p, q = _densities(theta, std)
    share = float(np.trapezoid(np.exp(q) * expit(p - q), x))
    return theta / std**2 * share, theta / std**2 * (1 - share)


def penalized(theta: float, weight: float, std: float = STD) -> tuple[float, float]:
    """Value and d/d theta of the generator loss for the critic that is optimal under a gradient penalty.

    With F the cumulative distribution functions and r the density of the interpolates, E_p f - E_q f - weight E_r
    (|f'| - 1)^2 is the integral of -f' (F_p - F_q) - weight r (|f'| - 1)^2. Pointwise it is maximal at f' = -(1 + (F_p
    - F_q) / (2 weight r)): the critic is steeper than one, and its value exceeds the distance theta, by theta^2 / (2
    weight) for distributions that are far apart.
    """
    x, _, q = _densities(theta, std)
    gap = ndtr(x / std) - ndtr((x - theta) / std)
    excess = gap / (2 * weight * _interpolates(x, theta, std))
    return float(np.trapezoid(gap * (1 + excess), x)), float(np.trapezoid(np.exp(q) * (1 + excess), x))


def _densities(theta, std):
    """A grid of points, and the logarithms of both densities on it."""
    x = np.linspace(min(0, theta) - 6 * std, max(0, theta) + 6 * std, 4001)
    constant = np.log(std * np.sqrt(2 * np.pi))
    return x, -((x / std) ** 2) / 2 - constant, -(((x - theta) / std) ** 2) / 2 - constant


def _interpolates(x, theta, std):
    """Density of u a + (1 - u) b with u uniform, a mean of Gaussians. Shapes: [N] -> [N]."""
    u = (np.arange(400) + 0.5) / 400
    scale = std * np.hypot(u, 1 - u)
    densities = np.exp(-(((x[:, None] - u * theta) / scale) ** 2) / 2) / (scale * np.sqrt(2 * np.pi))
    return densities.mean(1)
