"""VGG16 and VGG19 without their classifiers: the ImageNet nets whose feature maps define style in style transfer.

Source: arXiv:1409.1556, table 1, columns D and E; average pooling: arXiv:1508.06576, section 2; reflected borders:
arXiv:1703.06868, section 6.
"""

import flax.linen as nn
import jax.numpy as jnp

from genjax.errors import InputError, did_you_mean
from genjax.nets.layers import INITIALIZERS, Conv
from genjax.ops import backend
from genjax.ops.cpu import winograd
from genjax.ops.pool import average_pool, max_pool

BLOCKS = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
"""Depth -> number of convolutions in each block; a pooling follows each block."""

WIDTHS = (64, 128, 256, 512, 512)
"""Channels of each block."""

POOLINGS = {"max": max_pool, "average": average_pool}
PADDINGS = ("zeros", "reflect")
EDGES = ((0, 0), (1, 1), (1, 1), (0, 0))


class VGG(nn.Module):
    """Images to the feature maps of every layer, by name: "conv1_1", "relu1_1", "conv1_2", ..., "relu5_3", "pool5".

    Layers after `last` are not made and have no parameters. XLA leaves out layers that are not used.
    Shapes: x [B, H, W, 3], red, green and blue from 0 to 255, or [B, H, W, 1], gray; H and W at least `smallest(...)`
    -> {name: [B, h, w, C]}; each pooling halves h and w.
    """

    depth: int = 19  # or 16
    pooling: str = "max"  # or "average"
    padding: str = "zeros"  # or "reflect"; of every convolution
    ceil: bool = False  # True: a pooling keeps an odd last row and column; False: it drops them
    last: str | None = None  # None: "pool5"
    widths: tuple[int, ...] = WIDTHS

    @nn.compact
    def __call__(self, x):
        """The maps of images x. Raises: InputError for images that are too small, and for unknown field values."""
        names = layers(self.depth, self.last)
        for field, value, known in (("pooling", self.pooling, POOLINGS), ("padding", self.padding, PADDINGS)):
            if value not in known:
                choices = ", ".join(map(repr, known))
                raise InputError(f"VGG's {field}: no {value!r}{did_you_mean(value, known)}; choose from {choices}")
        if x.shape[3] not in (1, 3):
            raise InputError(f"VGG takes images of 3 channels, or 1 if they are gray, got {x.shape[3]}")
        if min(x.shape[1:3]) < (least := smallest(self.depth, names[-1], self.padding, self.ceil)):
            got = list(x.shape[1:3])
            raise InputError(f"VGG up to {names[-1]} needs images of {least} x {least} or more, got {got}")
        x = Color(name="color")(x)
        maps = {}
        for name in names:
            if name.startswith("relu"):
                x = nn.relu(x)
            elif name.startswith("pool"):
                x = pool(x, self.pooling, self.ceil)
            else:
                x = self._conv(x, name)
            maps[name] = x
        return maps

    def _conv(self, x, name):
        reflects = self.padding == "reflect"
        x = jnp.pad(x, EDGES, mode="reflect") if reflects else x
        padding = "VALID" if reflects else "SAME"
        if self.has_variable("winograd", name):
            y = winograd.conv(x, self.get_variable("winograd", name), padding)
            return y + self.get_variable("params", name)["bias"]
        return Conv(self.widths[block(name)], padding=padding, kernel_init=INITIALIZERS["he"], name=name)(x)


class Color(nn.Module):
    """Red, green and blue from 0 to 255 to the colors that the first convolution was trained on: x W + b.

    It is separate from that convolution because zero padding comes after this map. Without trained weights it maps
    colors to -1 to 1. A gray image has three equal channels, so it is multiplied by the sum of W over them.
    Shapes: [B, H, W, 1 or 3] -> [B, H, W, 3].
    """

    @nn.compact
    def __call__(self, x):
        """Apply the map to images x."""
        w = self.param("kernel", lambda key, shape: jnp.eye(*shape) / 127.5, (3, 3))
        b = self.param("bias", nn.initializers.constant(-1.0), (3,))
        if x.shape[3] == 1:
            w = w.sum(0, keepdims=True)
        # A lower precision would round large values before their mean is subtracted.
        return jnp.matmul(x, w, precision="highest") + b


def precompute(variables, names: tuple[str, ...]):
    """The collection that speeds up repeated calls of these layers on CPU: transformed kernels, see `ops.cpu.winograd`.

    The first block is left out: with large maps and few channels it would gain nothing. On other backends: {}.
    """
    if not backend.on_cpu():
        return {}
    params = variables["params"]
    names = [name for name in names if name.startswith("conv") and block(name)]
    return {"winograd": {name: winograd.transform(params[name]["kernel"]) for name in names}}


def pool(x, kind: str, ceil: bool):
    """The maximum or the mean of each 2x2 window; `ceil` keeps windows that the border cuts, over their inner pixels.

    Shapes: [B, H, W, C] -> [B, H // 2, W // 2, C], or both rounded up.
    """
    height, width = x.shape[1:3]
    if ceil:  # a copy of a pixel changes neither the maximum nor the mean
        x = jnp.pad(x, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    else:
        x = x[:, : height // 2 * 2, : width // 2 * 2]
    return POOLINGS[kind](x)


def layers(depth: int, last: str | None = None) -> tuple[str, ...]:
    """The names of the layers in order, up to `last`.

    Raises: InputError for a depth other than 16 and 19, and for a `last` that is no layer of the net.
    """
    if depth not in BLOCKS:
        raise InputError(f"VGG's depth: got {depth}, expected {' or '.join(map(str, BLOCKS))}")
    names = []
    for number, convs in enumerate(BLOCKS[depth], 1):
        names += [f"{kind}{number}_{i}" for i in range(1, convs + 1) for kind in ("conv", "relu")] + [f"pool{number}"]
    if last is None:
        return tuple(names)
    if last not in names:
        raise InputError(f"VGG{depth} has no layer {last!r}{did_you_mean(last, names)}; it has {', '.join(names)}")
    return tuple(names[: names.index(last) + 1])


def block(name: str) -> int:
    """The number of a layer's block, from zero."""
    return int(name[4]) - 1


def smallest(depth: int, last: str | None = None, padding: str = "zeros", ceil: bool = False) -> int:
    """The smallest height and width of an image for the layers up to `last`.

    Raises: InputError as `layers`.
    """
    side = 1
    for name in reversed(layers(depth, last)):
        if name.startswith("pool"):
            side = 2 * side - ceil
        elif name.startswith("conv") and padding == "reflect":
            side = max(side, 2)  # a single pixel has no neighbor to reflect
    return side
