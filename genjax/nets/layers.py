"""Layers that nets share: convolutions on `ops.conv`, dropout on `ops.noise`, activations and initializers by name."""

import flax.linen as nn
import jax.numpy as jnp

from genjax.nets.spectral import normalized
from genjax.ops import conv as ops
from genjax.ops import noise
from genjax.ops.shared import matmul, per_example

ACTIVATIONS = {
    "relu": nn.relu,
    "leaky_relu": lambda x: nn.leaky_relu(x, 0.2),
    "selu": nn.selu,
    "tanh": jnp.tanh,
    "sigmoid": nn.sigmoid,
    "linear": lambda x: x,
}

INITIALIZERS = {
    "glorot": nn.initializers.glorot_uniform(),  # Keras' default
    "he": nn.initializers.he_normal(),
    "lecun": nn.initializers.lecun_normal(),
    "normal": nn.initializers.normal(0.02),  # arXiv:1511.06434, section 4
}


class Dense(nn.Module):
    """A matrix product with bias; parameters and names as `flax.linen.Dense`, with optional `spectral` normalization.

    Shapes: [B, I] -> [B, features].
    """

    features: int
    use_bias: bool = True
    kernel_init: nn.initializers.Initializer = INITIALIZERS["glorot"]
    spectral: bool = False

    @nn.compact
    def __call__(self, x, train: bool = False):
        """Apply the layer to x; `train` updates the vectors of spectral normalization."""
        w = self.param("kernel", self.kernel_init, (x.shape[-1], self.features))
        y = matmul(x, normalized(self, w, train) if self.spectral else w)
        return y + per_example(self.param("bias", nn.initializers.zeros, (self.features,)), y) if self.use_bias else y


class _Convolution(nn.Module):
    """The fields and the bias of `Conv` and `ConvTranspose`."""

    features: int
    kernel_size: tuple[int, int] = (3, 3)
    strides: tuple[int, int] = (1, 1)
    padding: str | tuple = "SAME"
    kernel_dilation: tuple[int, int] = (1, 1)
    use_bias: bool = True
    kernel_init: nn.initializers.Initializer = INITIALIZERS["glorot"]
    bias_init: nn.initializers.Initializer = nn.initializers.zeros

    def _with_bias(self, y):
        """Call it inside a compact method."""
        return y + per_example(self.param("bias", self.bias_init, (self.features,)), y) if self.use_bias else y


class Conv(_Convolution):
    """A convolution with bias, NHWC; parameters and names as `flax.linen.Conv`, with optional `spectral` normalization.

    `pool`: the mean of each 2x2 pixels follows, in one operation; it needs stride 1, padding "SAME" and even sides.
    Shapes: [B, H, W, I] -> [B, ceil(H / stride), ceil(W / stride), features] for padding "SAME", halved by `pool`.
    """

    spectral: bool = False
    pool: bool = False

    @nn.compact
    def __call__(self, x, train: bool = False):
        """Apply the layer to images x; `train` updates the vectors of spectral normalization."""
        w = self.param("kernel", self.kernel_init, (*self.kernel_size, x.shape[-1], self.features))
        w = normalized(self, w, train) if self.spectral else w
        plain = {"stride": self.strides, "padding": self.padding, "dilation": self.kernel_dilation}
        return self._with_bias(ops.pooled_conv(x, w) if self.pool else ops.conv(x, w, **plain))


class ConvTranspose(_Convolution):
    """A transposed convolution with bias, NHWC; as `flax.linen.ConvTranspose(transpose_kernel=True)` and as Keras'.

    Shapes: [B, H, W, I] -> [B, H * stride, W * stride, features] for padding "SAME"; kernel [h, w, features, I].
    """

    @nn.compact
    def __call__(self, x):
        """Apply the layer to images x."""

        def transposed_init(*args):
            """Initializers count fan-in and fan-out on the last two axes, which are (out, in) here: draw, then swap."""
            return self.kernel_init(*args).swapaxes(2, 3)

        w = self.param("kernel", transposed_init, (*self.kernel_size, x.shape[-1], self.features))
        y = ops.conv_transpose(x, w, stride=self.strides, padding=self.padding, dilation=self.kernel_dilation)
        return self._with_bias(y)


class Dropout(nn.Module):
    """Zero each element with probability `rate` and scale the rest by 1 / (1 - rate); identity unless `train`.

    The mask is a hash of the element's index (`ops.noise.bits`): it is cheap, and does not depend on the batch size or
    the number of devices.
    Source: arXiv:1207.0580, in the inverted form.
    """

    rate: float

    @nn.compact
    def __call__(self, x, train: bool):
        """Apply the layer to x; training needs a random stream "dropout"."""
        if not train or self.rate == 0:
            return x
        keep = noise.bernoulli(self.make_rng("dropout"), 1 - self.rate, x.shape)
        return jnp.where(keep, x / (1 - self.rate), 0)


def batch_norm(x, train: bool, name: str | None = None):
    """Batch normalization over all axes except the last, with Keras' constants (momentum 0.99, epsilon 0.001).

    Under a sharded `jit` the mean is over the global batch. Call it inside a compact method.
    Source: arXiv:1502.03167, algorithm 1.
    """
    return nn.BatchNorm(use_running_average=not train, momentum=0.99, epsilon=1e-3, name=name)(x)


class ConditionalBatchNorm(nn.Module):
    """Batch normalization with a scale and an offset per class.

    Shapes: x [B, ..., C], class_onehot [B, classes] (one-hot, or a mixture of classes) -> [B, ..., C].
    Source: arXiv:1610.07629, eq. 5; arXiv:1802.05637, section 3.
    """

    momentum: float = 0.99
    epsilon: float = 1e-3

    @nn.compact
    def __call__(self, x, train: bool, class_onehot):
        """Normalize x, then apply the scale and offset of each example's class."""
        plain = {"use_bias": False, "use_scale": False}
        x = nn.BatchNorm(not train, momentum=self.momentum, epsilon=self.epsilon, **plain)(x)
        size = class_onehot.shape[1], x.shape[-1]
        scale = matmul(class_onehot, self.param("scale", nn.initializers.ones, size))
        offset = matmul(class_onehot, self.param("bias", nn.initializers.zeros, size))
        spread = (x.shape[0], *[1] * (x.ndim - 2), size[1])
        return x * scale.reshape(spread) + offset.reshape(spread)
