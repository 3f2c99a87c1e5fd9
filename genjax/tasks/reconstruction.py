"""The reconstruction loss of a config, as a function of a net's outputs."""

from collections.abc import Callable

import flax.linen as nn

from genjax.config import pick
from genjax.errors import InputError
from genjax.extensions import find, takes
from genjax.losses.reconstruction import LOSSES, bce
from genjax.nets.layers import ACTIVATIONS


def loss_of_outputs(net: nn.Module, name: str, key: str) -> Callable:
    """The loss (outputs, x) -> loss per number, of outputs before the activation `net.output`.

    "bce" takes them as logits; "mse" and losses named "package.module:name" take them after the activation. `key` is
    the config's, for messages. Shapes: [...], [...] -> [...].
    Raises: InputError for a loss or an activation that does not exist, or if the two do not fit.
    """
    loss = find(LOSSES, name, key, takes("y", "x"))
    activation = pick(ACTIVATIONS, net.output, "output")
    if name in LOSSES and (loss is bce) != (net.output == "sigmoid"):
        raise InputError(f"{key}={name!r} with output={net.output!r}: expected bce with sigmoid, or mse with another")
    if loss is bce:
        return bce

    def of_activated(outputs, x):
        return loss(activation(outputs), x)

    return of_activated
