"""A classifier on an autoencoder's encoder."""

from typing import ClassVar

import flax.linen as nn

from genjax.nets.convnet import Outputs
from genjax.nets.layers import ACTIVATIONS, INITIALIZERS, Dense
from genjax.ops.arrays import flatten


class EncoderClassifier(nn.Module):
    """An autoencoder's encoder, then hidden layers, then one logit per class.

    The encoder's parameters are under "encoder", by the names that they have in the autoencoder.
    Shapes: x [B, *shape] -> Outputs; the features are the last hidden layer (the latents, if there is none).
    """

    encoder: nn.Module
    classes: int
    widths: tuple[int, ...] = (20,)
    activation: str = "selu"
    kernel_init: str = "glorot"

    CHOICES: ClassVar = {"activation": ACTIVATIONS, "kernel_init": INITIALIZERS}

    @nn.compact
    def __call__(self, x, train: bool = False):
        """Features and logits of examples x."""
        init = INITIALIZERS[self.kernel_init]
        x = flatten(self.encoder.encode(x, train))
        for i, width in enumerate(self.widths):
            x = ACTIVATIONS[self.activation](Dense(width, kernel_init=init, name=f"hidden_{i}")(x))
        return Outputs(x, Dense(self.classes, kernel_init=init, name="logits")(x))
