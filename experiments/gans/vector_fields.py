"""Two-player games over z = (x, y) as vector fields, and update rules that follow a field.

A field maps z [2] to [2]: each player's negative gradient of its own loss. An update rule is (field, rate, z,
previous) -> (z, previous), where `previous` [2] is the field at the preceding step.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from genjax.losses.adversarial import LOSSES
from genjax.losses.penalty import r1 as r1_penalty

Field = Callable[[jax.Array], jax.Array]


def bilinear(z, damping: float = 0.0):
    """min over x, max over y of xy + damping (x^2 - y^2) / 2. Its Jacobian has the eigenvalues -damping +- i."""
    x, y = z
    return jnp.stack([-y - damping * x, x - damping * y])


def dirac(z, loss: str = "minimax", r1: float = 0.0):
    """The Dirac-GAN: all reals are 0, all fakes z[0], and the critic's logit of x is z[1] x.

    The critic's loss is doubled, because the library halves the cross-entropy and the source does not.
    Source: arXiv:1801.04406, definition 2.1 (there the critic is high on fakes, which flips the sign of z[1]); R1 with
    weight `r1` is eq. 9. Shapes: [2] -> [2].
    """
    losses = LOSSES[loss]
    theta, psi = z
    real = jnp.zeros((1, 1))

    def generator_loss(theta):
        return losses.generator(psi * real[:, 0], psi * theta[None])

    def critic_loss(psi):
        def critic(x):
            return psi * x[:, 0]

        value = 2 * losses.critic(critic(real), critic(theta[None, None]))
        return value + r1 * r1_penalty(critic, real, real, None)

    return -jnp.stack([jax.grad(generator_loss)(theta), jax.grad(critic_loss)(psi)])


def simultaneous(field: Field, rate: float, z, previous):
    """Both players move at the same time."""
    return z + rate * field(z), previous


def alternating(field: Field, rate: float, z, previous):
    """The first player moves, then the second one, from the first one's new position."""
    z = z.at[0].add(rate * field(z)[0])
    return z.at[1].add(rate * field(z)[1]), previous


def extra_gradient(field: Field, rate: float, z, previous):
    """Both players move by the field that they would find after a simultaneous step.

    Source: Korpelevich, "The extragradient method for finding saddle points and other problems" (1976);
    arXiv:1802.10551.
    """
    return z + rate * field(z + rate * field(z)), previous


def optimistic(field: Field, rate: float, z, previous):
    """The next field is extrapolated from the current and the previous one. Source: arXiv:1711.00141."""
    current = field(z)
    return z + rate * (2 * current - previous), current


UPDATES = {
    "simultaneous": simultaneous,
    "alternating": alternating,
    "extra-gradient": extra_gradient,
    "optimistic": optimistic,
}


def path(update: Callable, field: Field, rate: float, start, steps: int) -> np.ndarray:
    """The iterates of an update rule, beginning with the start. Shapes: start [2] -> float32 [steps + 1, 2]."""
    start = jnp.asarray(start, jnp.float32)

    def step(carry, _):
        carry = update(field, rate, *carry)
        return carry, carry[0]

    _, rest = jax.jit(lambda carry: jax.lax.scan(step, carry, None, steps))((start, field(start)))
    return np.concatenate([start[None], rest])


def exponential_average(z: np.ndarray, decay: float) -> np.ndarray:
    """The exponential moving average of the iterates up to each. Source: arXiv:1806.04498. Shapes: [N, 2] -> [N, 2]."""
    out = [z[0]]
    for point in z[1:]:
        out.append(decay * out[-1] + (1 - decay) * point)
    return np.stack(out)


def uniform_average(z: np.ndarray) -> np.ndarray:
    """The mean of the iterates up to each. Source: arXiv:1806.04498. Shapes: [N, 2] -> [N, 2]."""
    return np.cumsum(z, 0) / np.arange(1, len(z) + 1)[:, None]


def eigenvalues(field: Field, point=(0.0, 0.0)) -> np.ndarray:
    """Eigenvalues of the field's Jacobian at a point, by increasing imaginary part. Shapes: -> complex [2]."""
    jacobian = jax.jacobian(field)(jnp.asarray(point, jnp.float32))
    values = np.linalg.eigvals(np.asarray(jacobian, np.float64))
    return values[np.argsort(values.imag)]


def contraction_factor(update: Callable, field: Field, rate: float) -> float:
    """Spectral radius of an update at the equilibrium 0: the long-run factor per step of a small distance from it."""

    def step(carry):
        return jnp.concatenate(update(field, rate, carry[:2], carry[2:]))

    matrix = np.asarray(jax.jacobian(step)(jnp.zeros(4)), np.float64)
    if not matrix[:2, 2:].any():  # the update does not use the previous field
        matrix = matrix[:2, :2]
    return float(np.abs(np.linalg.eigvals(matrix)).max())
