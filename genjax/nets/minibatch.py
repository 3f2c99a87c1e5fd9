"""Statistics over a critic's batch, which expose fakes that are all alike."""

import flax.linen as nn
import jax.numpy as jnp

from genjax.errors import InputError
from genjax.nets.layers import INITIALIZERS, Dense

GROUP = 4
"""Examples per group of the paper's standard deviation, unless a net's `minibatch_group` is another.

Source: arXiv:1710.10196, section 3.
"""


class Discrimination(nn.Module):
    """Appends the closeness of all examples in `kernels` learned projections to `size` dimensions.

    Shapes: h [B, F] -> [B, F + kernels].
    Source: arXiv:1606.03498, section 3.2: o(x_i)_b = sum_j exp(-|M_ib - M_jb|_1), over all j as there, i included.
    """

    kernels: int = 50
    size: int = 5

    @nn.compact
    def __call__(self, h):
        """Apply the layer to features h of a batch."""
        dense = Dense(self.kernels * self.size, use_bias=False, kernel_init=INITIALIZERS["lecun"])
        m = dense(h).reshape(-1, self.kernels, self.size)
        apart = (jnp.abs(m[:, None, :, i] - m[None, :, :, i]) for i in range(self.size))
        distance = sum(apart)  # a third of the time of a sum over the last axis, which is short
        return jnp.concatenate([h, jnp.exp(-distance).sum(1)], 1)


def stddev(x, group: int = GROUP):
    """The standard deviation over each group of consecutive examples, a mean over all elements.

    A batch smaller than a group is one group. Shapes: x [B, ...] -> [B].
    Source: arXiv:1710.10196, section 3, with the 1e-8 of its code.
    Raises: InputError if groups do not divide the batch.
    """
    group = _size(x, group)
    grouped = x.reshape(len(x) // group, group, -1)
    return jnp.repeat(jnp.sqrt(grouped.var(1) + 1e-8).mean(1), group)


def stddev_strided(x, group: int = GROUP):
    """As `stddev`, but group m of M has the examples m, m + M, m + 2M, ..., as in the code of arXiv:1710.10196."""
    group = _size(x, group)
    grouped = x.reshape(group, len(x) // group, -1)
    return jnp.tile(jnp.sqrt(grouped.var(0) + 1e-8).mean(1), group)


def _size(x, group):
    """Examples per group of a batch."""
    group = min(group, len(x))
    if len(x) % group:
        raise InputError(f"the minibatch's standard deviation is over groups of {group}, which do not divide {len(x)}")
    return group


def stddev_textbook(x, group: int = GROUP):
    """A textbook's variant: the standard deviation over examples and channels at each place, a mean over places.

    The whole batch is one group, whatever `group` is.

    Shapes: x [B, H, W, C] or [B, C] -> [B], all equal.
    """
    return jnp.full(len(x), jnp.sqrt(x.var((0, x.ndim - 1)) + 1e-8).mean())


MINIBATCH = {"stddev": stddev, "stddev_strided": stddev_strided, "stddev_textbook": stddev_textbook}
"""Statistics without parameters, (x, group) -> [B], by the names of a critic's field `minibatch`."""

GROUPED = ("stddev", "stddev_strided")
"""Those over groups that have to divide the batch."""


def append_statistic(minibatch: str, x, group: int = GROUP):
    """Maps with a statistic as one more channel, equal at all places; unchanged if `minibatch` is "".

    Shapes: x [B, H, W, C] -> [B, H, W, C + 1].
    """
    if not minibatch:
        return x
    numbers = MINIBATCH[minibatch](x, group)[:, None, None, None]
    return jnp.concatenate([x, jnp.broadcast_to(numbers, (*x.shape[:3], 1))], 3)
