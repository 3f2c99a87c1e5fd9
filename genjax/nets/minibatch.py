"""Statistics over the batch as further features of a critic, which expose fakes that are all alike.

Shapes: h [B, F] -> [B, F + more].
"""

import flax.linen as nn
import jax.numpy as jnp

from genjax.errors import InputError

GROUP = 4
"""Examples per group of the paper's standard deviation (arXiv:1710.10196, section 3)."""


class Discrimination(nn.Module):
    """Append the closeness of the other examples in `kernels` learned projections to `size` dimensions.

    Source: arXiv:1606.03498, section 3.2: o(x_i)_b = sum_j exp(-|M_ib - M_jb|_1), over all j as there, i included.
    """

    kernels: int = 50
    size: int = 5

    @nn.compact
    def __call__(self, h):
        """Append to features h, which then depend on all examples of the batch."""
        m = nn.Dense(self.kernels * self.size, use_bias=False)(h).reshape(-1, self.kernels, self.size)
        apart = (jnp.abs(m[:, None, :, i] - m[None, :, :, i]) for i in range(self.size))
        distance = sum(apart)  # a third of the time of a sum over the last axis, which is short
        return jnp.concatenate([h, jnp.exp(-distance).sum(1)], 1)


def paper_stddev(h, group: int = GROUP):
    """Append one number: the standard deviation over a group of examples, averaged over features.

    A group is `group` consecutive examples, or the whole batch if that is smaller. Source: arXiv:1710.10196, section 3,
    with the 1e-8 of its code. Raises: InputError if the size of groups does not divide the batch.
    """
    group = min(group, len(h))
    if len(h) % group:
        raise InputError(f"the minibatch's standard deviation is over groups of {group}, which do not divide {len(h)}")
    grouped = h.reshape(-1, group, h.shape[1])
    spread = jnp.sqrt(grouped.var(1) + 1e-8).mean(1)
    return jnp.concatenate([h, jnp.repeat(spread, group)[:, None]], 1)


def stddev_map(x, group: int = GROUP):
    """Append the number of `paper_stddev` as a map. Shapes: x [B, H, W, C] -> [B, H, W, C + 1]."""
    spread = paper_stddev(x.reshape(len(x), -1), group)[:, -1]
    return _with_map(x, spread)


def book_stddev(x):
    """The textbook's number: the standard deviation over examples and channels, averaged over positions.

    Shapes: x [B, H, W, C] (or features [B, C]) -> scalar.
    """
    return jnp.sqrt(x.var((0, x.ndim - 1)) + 1e-8).mean()


def book_stddev_map(x):
    """Append the textbook's number as a map. Shapes: x [B, H, W, C] -> [B, H, W, C + 1]."""
    return _with_map(x, jnp.broadcast_to(book_stddev(x), len(x)))


def _with_map(x, numbers):
    return jnp.concatenate([x, jnp.broadcast_to(numbers[:, None, None, None], (*x.shape[:3], 1))], 3)
