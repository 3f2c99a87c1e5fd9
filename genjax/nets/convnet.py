"""A small convolutional classifier: the features and classes by which samples of a data set are measured."""

from typing import ClassVar, NamedTuple

import flax.linen as nn
import jax

from genjax.nets.layers import ACTIVATIONS, INITIALIZERS, Conv, Dense, Dropout
from genjax.ops.arrays import flatten
from genjax.ops.pool import max_pool


class Outputs(NamedTuple):
    """Features and class logits of examples."""

    features: jax.Array  # [B, widths[-1]], the last hidden layer
    logits: jax.Array  # [B, classes]


class Classifier(nn.Module):
    """A convolution and a 2x2 maximum pooling per entry of `channels`, then hidden layers, then one logit per class.

    Shapes: x [B, H, W, C] -> Outputs.
    """

    classes: int
    channels: tuple[int, ...] = (32, 64)
    widths: tuple[int, ...] = (128,)
    kernel: int = 3
    activation: str = "relu"
    dropout: float = 0.4
    kernel_init: str = "he"

    CHOICES: ClassVar = {"activation": ACTIVATIONS, "kernel_init": INITIALIZERS}

    @nn.compact
    def __call__(self, x, train: bool = False):
        """Features and logits of images x. In training there is dropout before each dense layer."""
        init = INITIALIZERS[self.kernel_init]
        act = ACTIVATIONS[self.activation]
        for features in self.channels:
            x = max_pool(act(Conv(features, (self.kernel, self.kernel), kernel_init=init)(x)))
        x = flatten(x)
        for width in self.widths:
            x = act(Dense(width, kernel_init=init)(Dropout(self.dropout)(x, train)))
        logits = Dense(self.classes, kernel_init=INITIALIZERS["glorot"])(Dropout(self.dropout)(x, train))
        return Outputs(x, logits)
