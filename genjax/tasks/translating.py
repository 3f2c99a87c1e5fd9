"""The parts that translations of images share, paired and unpaired: use at any size, and refusals."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from genjax.data.translation import DERIVATIONS, input_channels
from genjax.engine.state import Variables
from genjax.errors import InputError
from genjax.nets import patchgan, rdn, resnet_generator, unet
from genjax.nets.doubling import nearest_multiple
from genjax.ops import lab
from genjax.ops.pixels import scaled, to_float, to_pixels

GENERATORS = {"unet": unet.UNet, "resnet": resnet_generator.ResnetGenerator, "rdn": rdn.ResidualDense}
CRITICS = {"patchgan": patchgan.PatchGAN}


@dataclass(frozen=True)
class Pixels:
    """The channels of a generator are pixels.

    Fields: output: "tanh" or "sigmoid", the range of its inputs and outputs.
    """

    output: str

    def encode(self, x):
        """Inputs, or pairs, for the nets. Shapes: x [N, H, W, C], stored or in the range of `output`, kept."""
        return to_float(x, self.output)

    def decode(self, x, y):
        """Outputs as pixels from 0 to 255, of encoded inputs x and outputs y.

        Shapes: x [N, H, W, inputs], y [N, H, W, colors] -> [N, H, W, C].
        """
        return to_pixels(y, self.output)


class Lab(Pixels):
    """The input is a gray image as lightness, and the output its color: CIE's a and b, over 110.

    So lightness is exact. Source: arXiv:1611.07004, section 6.2; the 110 of its authors' `util.lua`.
    """

    def encode(self, x):
        """Lightness of grays; of pairs also a and b. Shapes: x [N, H, W, 1 or 4] -> [N, H, W, 1 or 3]."""
        x = to_pixels(to_float(x, self.output), self.output) / 255
        parts = [lab.lightness(x[..., :1]) / 100]
        if x.shape[-1] > 1:
            parts.append(lab.from_srgb(x[..., 1:])[..., 1:] / (2 * lab.LARGEST) + 0.5)
        return scaled(jnp.concatenate(parts, -1) * 255, self.output)

    def decode(self, x, y):
        """Colors of lightness, a and b. Shapes: x [N, H, W, 1], y [N, H, W, 2], encoded -> [N, H, W, 3]."""
        lightness, color = (to_pixels(part, self.output) / 255 for part in (x, y))
        color = (2 * color - 1) * lab.LARGEST
        return 255 * lab.to_srgb(jnp.concatenate([100 * lightness, color], -1))


def space_of(data_name: str, output: str) -> Pixels:
    """The meaning of the channels of nets, by the name of the data."""
    return (Lab if _is_lab(data_name) else Pixels)(output)


def outputs_of(data_name: str, colors: int) -> int:
    """The number of the generator's channels for targets of `colors` channels, by the name of the data."""
    return 2 if _is_lab(data_name) else colors


def _is_lab(data_name: str) -> bool:
    return data_name.partition(":")[0] == "lab"


def translated(generator, variables: Variables, x, space: Pixels):
    """Translations in use. Shapes: uint8 [N, H, W, C] -> pixels from 0 to 255, not rounded, [N, H, W, colors].

    Beyond its lower and right border an image is mirrored to sides that the net can halve. The noise is that of one
    key: the same for all images and all calls.
    """
    height, width = x.shape[1:3]
    padding = ((0, 0), *((0, -side % generator.multiple) for side in (height, width)), (0, 0))
    x = jnp.pad(space.encode(x), padding, "symmetric")
    y = generator.apply(variables, x, train=False, rngs={"dropout": jax.random.key(0)})
    return space.decode(*(part[:, :height, :width] for part in (x, y)))


def need_input_channels(c: ConfigDict, shape: tuple[int, ...], advice: str) -> int:
    """The channels of the input. Raises: InputError, with advice, for examples that are not two images as one."""
    inputs = c.input_channels or (input_channels(c.data.name, shape[-1]) if len(shape) == 3 else 0)
    if len(shape) != 3 or not 0 < inputs < shape[2]:
        raise InputError(
            f"task {c.task!r} takes pairs of an input and its target as channels, but {c.data.name} has shape "
            f"{list(shape)}, with input_channels={c.input_channels}: {advice}"
        )
    return inputs


def check(c: ConfigDict, generator, critic, shape: tuple[int, ...]) -> None:
    """Raises: InputError for images that the nets cannot take, and a jitter that is none."""
    if shape[0] % generator.multiple or shape[1] % generator.multiple:
        raise InputError(
            f"the generator halves an image's sides to {generator.multiple} times less, but the data have "
            f"{shape[0]}x{shape[1]} pixels: set data.size, such as {nearest_multiple(shape, generator.multiple)}, or "
            "fewer generator.channels"
        )
    kind = c.data.name.partition(":")[0]
    factor, scale = (DERIVATIONS[kind].factor if kind in DERIVATIONS else 0), getattr(generator, "scale", 0)
    if factor and scale and factor != scale:
        inputs = f"images {factor} times smaller" if factor > 1 else "no smaller images"
        expected = f"set it to {factor}" if factor > 1 else "set another generator.net, which does not enlarge"
        raise InputError(f"generator.scale={scale}, but the inputs of {c.data.name} are {inputs}: {expected}")
    critic.check_size(*shape[:2])
    if c.data.bits != 8:
        raise InputError(f"data.bits={c.data.bits}: task {c.task!r} takes images of 8 bits: leave it at 8")
    if c.jitter < 0:
        raise InputError(f"jitter={c.jitter}: expected 0 or more")
