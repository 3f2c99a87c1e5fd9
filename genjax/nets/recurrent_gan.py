"""A recurrent generator and critic of series: one LSTM each, and one dense layer per step.

Source: arXiv:1706.02633, section 3, and its authors' code.
"""

from typing import ClassVar

import flax.linen as nn

from genjax.errors import InputError
from genjax.nets.critic import append_class, sow
from genjax.nets.layers import ACTIVATIONS
from genjax.nets.lstm import LSTM
from genjax.ops.shared import matmul, per_example


class _Head(nn.Module):
    """A dense layer whose first weights and biases are truncated normal, of standard deviation 1 before the cut."""

    features: int

    @nn.compact
    def __call__(self, x):
        """Apply the layer to x. Shapes: [B, T, I] -> [B, T, features]."""
        init = nn.initializers.truncated_normal(1.0)
        y = matmul(x, self.param("kernel", init, (x.shape[-1], self.features)))
        return y + per_example(self.param("bias", init, (self.features,)), y)


class Generator(nn.Module):
    """Series of latents that are spread over the steps; the class is concatenated at every step.

    Shapes: z [B, latent] with `latent` a multiple of T, class_onehot [B, classes] or None -> [B, T, F], through
    `squash`.
    """

    shape: tuple[int, ...]
    width: int = 100
    squash: str = "tanh"

    CHOICES: ClassVar = {"squash": ACTIVATIONS}
    output: ClassVar[str] = "linear"
    conditioning: ClassVar[str] = "concat"

    @nn.compact
    def __call__(self, z, train: bool = False, class_onehot=None):
        """Series of latents z. Raises: InputError for examples that are no series, and latents that do not divide."""
        if len(self.shape) != 2:
            raise InputError(f"the recurrent generator makes series [steps, numbers], not {list(self.shape)}")
        steps, features = self.shape
        if z.shape[1] % steps:
            raise InputError(
                f"latent={z.shape[1]}: the recurrent generator takes equally many latents per step: set "
                f"a multiple of {steps}, such as {5 * steps}"
            )
        z = append_class(z.reshape(len(z), steps, -1), class_onehot)
        return ACTIVATIONS[self.squash](_Head(features, name="head")(LSTM(self.width, name="lstm")(z)))


class Critic(nn.Module):
    """Logits of every step of a series, each of the steps up to it. The last state is its features.

    Shapes: x [B, T, F], class_onehot [B, classes] or None -> [B, T].
    """

    width: int = 100

    minibatch: ClassVar[str] = ""
    batch_norm: ClassVar[bool] = False
    conditioning: ClassVar[str] = "concat"

    @nn.compact
    def __call__(self, x, train: bool = False, class_onehot=None):
        """Logits of series x. Raises: InputError for examples that are no series."""
        if x.ndim != 3:
            raise InputError(f"the recurrent critic takes series [steps, numbers], not {list(x.shape[1:])}")
        h = LSTM(self.width, name="lstm")(append_class(x, class_onehot))
        sow(self, "features", h[:, -1])
        return _Head(1, name="head")(h)[..., 0]
