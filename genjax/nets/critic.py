"""What the critics have in common: how they are told the class, and how they end.

`given` is a one-hot of the class [B, classes], or None.
"""

import jax.numpy as jnp

from genjax.nets.layers import INITIALIZERS, Dense, flatten
from genjax.nets.minibatch import Discrimination, book_stddev, paper_stddev

CHOICES = {
    "conditioning": ("concat", "projection", "auxiliary"),
    "minibatch": ("", "discrimination", "stddev", "stddev_book"),
}
"""What those fields of a critic may be."""


def beside(x, given):
    """Examples and their class: planes of an image, or further numbers of a point. Shapes: x [B, ..., C]."""
    if given is None:
        return x
    planes = given.reshape(len(given), *[1] * (x.ndim - 2), given.shape[1])
    return jnp.concatenate([x, jnp.broadcast_to(planes, (*x.shape[:-1], given.shape[1]))], x.ndim - 1)


def judged(critic, x, train, given):
    """The logits of the last maps or features, by the critic's fields. Shapes: x [B, ...] -> [B].

    minibatch: what the logit is told of the batch (`genjax.nets.minibatch`), `kernels` how many numbers of it where
    these are learned. conditioning "projection" adds the product
    of the features with a vector of the class (arXiv:1802.05637, eq. 3); "auxiliary" has a second head that names the
    class (arXiv:1610.09585, section 3). The features, and that head's logits, are sown in the collection "seen".
    Call inside a compact method.
    """
    layer = {"kernel_init": INITIALIZERS[critic.kernel_init], "spectral": critic.spectral}
    features = h = flatten(x)
    _sow(critic, "features", features)
    if critic.minibatch == "discrimination":
        h = Discrimination(critic.kernels)(h)
    elif critic.minibatch == "stddev":
        h = paper_stddev(h)
    elif critic.minibatch == "stddev_book":
        h = jnp.concatenate([h, jnp.full((len(h), 1), book_stddev(x))], 1)
    logits = Dense(1, **layer)(h, train)[:, 0]
    if given is not None and critic.conditioning == "projection":
        logits += (Dense(features.shape[1], use_bias=False, **layer)(given, train) * features).sum(1)
    if given is not None and critic.conditioning == "auxiliary":
        _sow(critic, "classes", Dense(given.shape[1], **layer)(features, train))
    return logits


def _sow(critic, name, value):
    critic.sow("seen", name, value, reduce_fn=lambda _, new: new, init_fn=lambda: None)
