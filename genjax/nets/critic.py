"""The common parts of critics: the class as an input, and the head that gives logits.

`class_onehot` is a one-hot of the class [B, classes], or None.
"""

import jax.numpy as jnp

from genjax.nets.layers import INITIALIZERS, Dense
from genjax.nets.minibatch import Discrimination, book_stddev, paper_stddev
from genjax.ops.arrays import flatten

CHOICES = {
    "conditioning": ("concat", "projection", "auxiliary"),
    "minibatch": ("", "discrimination", "stddev", "stddev_book"),
    "kernel_init": INITIALIZERS,
}
"""Choices of the fields of a critic that `critic_head` reads."""


def append_class(x, class_onehot):
    """Append the class to examples, as constant channels or as further coordinates. Shapes: x [B, ..., C]."""
    if class_onehot is None:
        return x
    planes = class_onehot.reshape(len(class_onehot), *[1] * (x.ndim - 2), class_onehot.shape[1])
    return jnp.concatenate([x, jnp.broadcast_to(planes, (*x.shape[:-1], class_onehot.shape[1]))], x.ndim - 1)


def critic_head(critic, x, train, class_onehot):
    """The logits of the last maps or features, by the critic's fields. Shapes: x [B, ...] -> [B].

    `minibatch` names the statistic over the batch that is appended to the features (`genjax.nets.minibatch`), and
    `minibatch_kernels` the number of learned ones. `conditioning` "projection" adds the product of the features with a
    vector of the class (arXiv:1802.05637, eq. 3); "auxiliary" has a second head that classifies (arXiv:1610.09585,
    section 3). The features and the logits of that head are sown in the collection "critic_aux".
    Call inside a compact method.
    """
    layer = {"kernel_init": INITIALIZERS[critic.kernel_init], "spectral": critic.spectral}
    features = h = flatten(x)
    _sow(critic, "features", features)
    if critic.minibatch == "discrimination":
        h = Discrimination(critic.minibatch_kernels)(h)
    elif critic.minibatch == "stddev":
        h = paper_stddev(h)
    elif critic.minibatch == "stddev_book":
        h = jnp.concatenate([h, jnp.full((len(h), 1), book_stddev(x))], 1)
    logits = Dense(1, **layer)(h, train)[:, 0]
    if class_onehot is not None and critic.conditioning == "projection":
        logits += (Dense(features.shape[1], use_bias=False, **layer)(class_onehot, train) * features).sum(1)
    if class_onehot is not None and critic.conditioning == "auxiliary":
        _sow(critic, "classes", Dense(class_onehot.shape[1], **layer)(features, train))
    return logits


def _sow(critic, name, value):
    critic.sow("critic_aux", name, value, reduce_fn=lambda _, new: new, init_fn=lambda: None)
