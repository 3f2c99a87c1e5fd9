"""The parts that translations of images share, paired and unpaired: use at any size, and refusals."""

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from genjax.data.translation import DERIVATIONS, input_channels
from genjax.engine.state import Variables
from genjax.errors import InputError
from genjax.nets import patchgan, rdn, resnet_generator, unet
from genjax.nets.doubling import nearest_multiple
from genjax.ops.pixels import to_float, to_pixels

GENERATORS = {"unet": unet.UNet, "resnet": resnet_generator.ResnetGenerator, "rdn": rdn.ResidualDense}
CRITICS = {"patchgan": patchgan.PatchGAN}


def translated(generator, variables: Variables, x):
    """Translations in use. Shapes: uint8 [N, H, W, C] -> pixels from 0 to 255, not rounded, [N, H, W, colors].

    Beyond its lower and right border an image is mirrored to sides that the net can halve. The noise is that of one
    key: the same for all images and all calls.
    """
    height, width = x.shape[1:3]
    padding = ((0, 0), *((0, -side % generator.multiple) for side in (height, width)), (0, 0))
    x = jnp.pad(to_float(x, generator.output), padding, "symmetric")
    y = generator.apply(variables, x, train=False, rngs={"dropout": jax.random.key(0)})
    return to_pixels(y[:, :height, :width], generator.output)


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
        expected = f"set it to {factor}" if factor > 1 else "set another generator.net, which does not enlarge"
        raise InputError(
            f"generator.scale={scale}, but the inputs of {c.data.name} are images {factor} times smaller: {expected}"
        )
    critic.check_size(*shape[:2])
    if c.data.bits != 8:
        raise InputError(f"data.bits={c.data.bits}: task {c.task!r} takes images of 8 bits: leave it at 8")
    if c.jitter < 0:
        raise InputError(f"jitter={c.jitter}: expected 0 or more")
