"""Games of two numbers z = (x, y), as fields that say where each player wants to go, and ways to follow a field.

A field v maps z [2] to [2]: each player's own gradient, downhill for its loss. A way is (field, rate, z, before) ->
(z, before), where `before` [2] is the field of the last step.
"""

from collections.abc import Callable
from functools import partial

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

    The critic's value is doubled, since the library halves its cross-entropy: it plays as fast as in the source.
    Source: arXiv:1801.04406, definition 2.1 (its critic is high on fakes, which turns the sign of z[1]); R1 of weight
    `r1` is its eq. 9. Shapes: [2] -> [2].
    """
    sides, (theta, psi) = LOSSES[loss], z
    real = jnp.zeros((1, 1))

    def generator(theta):
        return sides.generator(psi * real[:, 0], psi * theta[None])

    def critic(psi):
        judge = lambda x: psi * x[:, 0]  # noqa: E731
        value = 2 * sides.critic(judge(real), judge(theta[None, None]))
        return value + r1 * r1_penalty(judge, real, real, None)

    return -jnp.stack([jax.grad(generator)(theta), jax.grad(critic)(psi)])


def simultaneous(field: Field, rate: float, z, before):
    """Both players move at once."""
    return z + rate * field(z), before


def alternating(field: Field, rate: float, z, before):
    """The second player answers the first one's move."""
    z = z.at[0].add(rate * field(z)[0])
    return z.at[1].add(rate * field(z)[1]), before


def extra_gradient(field: Field, rate: float, z, before):
    """Both look one step ahead, and go from here as they would go there.

    Source: Korpelevich, "The extragradient method for finding saddle points and other problems" (1976);
    arXiv:1802.10551.
    """
    return z + rate * field(z + rate * field(z)), before


def optimistic(field: Field, rate: float, z, before):
    """The next field is foretold from this one and the last. Source: arXiv:1711.00141."""
    now = field(z)
    return z + rate * (2 * now - before), now


WAYS = {
    "simultaneous": simultaneous,
    "alternating": alternating,
    "extra-gradient": extra_gradient,
    "optimistic": optimistic,
}


def path(way: Callable, field: Field, rate: float, start, steps: int) -> np.ndarray:
    """Where a way leads, the start with it. Shapes: start [2] -> float32 [steps + 1, 2]."""
    start = jnp.asarray(start, jnp.float32)

    def step(carry, _):
        carry = way(field, rate, *carry)
        return carry, carry[0]

    _, rest = jax.jit(lambda carry: jax.lax.scan(step, carry, None, steps))((start, field(start)))
    return np.concatenate([start[None], rest])


def exponential_average(z: np.ndarray, decay: float) -> np.ndarray:
    """Each iterate's moving average, from the first one on. Source: arXiv:1806.04498. Shapes: [N, 2]."""
    out = [z[0]]
    for point in z[1:]:
        out.append(decay * out[-1] + (1 - decay) * point)
    return np.stack(out)


def uniform_average(z: np.ndarray) -> np.ndarray:
    """The mean of each iterate and all before. Source: arXiv:1806.04498. Shapes: [N, 2]."""
    return np.cumsum(z, 0) / np.arange(1, len(z) + 1)[:, None]


def eigenvalues(field: Field, at=(0.0, 0.0)) -> np.ndarray:
    """Of the field's Jacobian, by rising imaginary part. Shapes: -> complex [2]."""
    found = np.linalg.eigvals(np.asarray(jax.jacobian(field)(jnp.asarray(at, jnp.float32)), np.float64))
    return found[np.argsort(found.imag)]


def factor(way: Callable, field: Field, rate: float) -> float:
    """What a step multiplies a small distance from the equilibrium 0 by in the long run: the spectral radius."""
    both = lambda carry: jnp.concatenate(partial(way, field, rate)(carry[:2], carry[2:]))  # noqa: E731
    step = np.asarray(jax.jacobian(both)(jnp.zeros(4)), np.float64)
    if not step[:2, 2:].any():  # a way without memory
        step = step[:2, :2]
    return float(np.abs(np.linalg.eigvals(step)).max())
