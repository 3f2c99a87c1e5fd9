"""Parts that critics (discriminators) share: the class among their inputs, and their last layers.

`class_onehot` is a one-hot of the class [B, classes], or None.
"""

import jax.numpy as jnp

from genjax.nets.layers import INITIALIZERS, Dense
from genjax.nets.minibatch import GROUP, MINIBATCH, Discrimination
from genjax.ops.arrays import flatten

CHOICES = {
    "conditioning": ("concat", "projection", "auxiliary"),
    "minibatch": ("", "discrimination", *MINIBATCH),
    "kernel_init": INITIALIZERS,
}
"""Choices of the fields that `critic_head` reads."""


def append_class(x, class_onehot):
    """Examples with their class: as planes of an image, or as further numbers of a point. Shapes: x [B, ..., C]."""
    if class_onehot is None:
        return x
    planes = class_onehot.reshape(class_onehot.shape[0], *[1] * (x.ndim - 2), class_onehot.shape[1])
    return jnp.concatenate([x, jnp.broadcast_to(planes, (*x.shape[:-1], class_onehot.shape[1]))], x.ndim - 1)


def critic_head(critic, x, train, class_onehot):
    """The logits of a critic's last maps or features, by its fields. Call it inside a compact method.

    Fields:
        minibatch: the statistic over the batch that joins the features (`genjax.nets.minibatch`); "": none.
        minibatch_kernels: number of projections of "discrimination".
        minibatch_group: examples per group of "stddev" and "stddev_strided".
        conditioning: "projection" adds the product of the features with a vector of the class (arXiv:1802.05637,
            eq. 3); "auxiliary" has a second head with class logits (arXiv:1610.09585, section 3).
        spectral, kernel_init: of all dense layers.

    The features and the class logits are sown in the collection "critic_aux". Shapes: x [B, ...] -> [B].
    """
    layer = {"kernel_init": INITIALIZERS[critic.kernel_init], "spectral": critic.spectral}
    features = h = flatten(x)
    sow(critic, "features", features)
    if critic.minibatch == "discrimination":
        h = Discrimination(critic.minibatch_kernels)(h)
    elif critic.minibatch:
        group = getattr(critic, "minibatch_group", GROUP)
        h = jnp.concatenate([h, MINIBATCH[critic.minibatch](x, group)[:, None]], 1)
    logits = Dense(1, **layer)(h, train)[:, 0]
    if class_onehot is not None and critic.conditioning == "projection":
        logits += (Dense(features.shape[1], use_bias=False, **layer)(class_onehot, train) * features).sum(1)
    if class_onehot is not None and critic.conditioning == "auxiliary":
        sow(critic, "classes", Dense(class_onehot.shape[1], **layer)(features, train))
    return logits


def sow(critic, name: str, value) -> None:
    """Keep a result besides the logits in the collection "critic_aux", that of the last call."""
    critic.sow("critic_aux", name, value, reduce_fn=lambda _, new: new, init_fn=lambda: None)
