"""The encoders of style transfer: "squeezenet", which is packaged; "vgg:FILE"; "random", an untrained SqueezeNet."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from genjax.errors import InputError, did_you_mean
from genjax.nets import vgg
from genjax.nets.squeezenet import SMALLEST, SqueezeNet
from genjax.weights import squeezenet
from genjax.weights.vgg import load_vgg

UNIT = 32.0
"""About the mean of SqueezeNet's maps up to fire4 on photographs. Divided by it, the maps have means near one, as those
of the normalized VGG of arXiv:1508.06576 have, so that weights of losses and learning rates suit both.
"""

SQUEEZENET_LAYERS = (
    *("conv1", "pool1", "fire2", "fire3", "pool3", "fire4", "fire5"),
    *("pool5", "fire6", "fire7", "fire8", "fire9"),
)


class Geometry(NamedTuple):
    """A layer's place in the image: pixels between its positions, and at most how far one depends on pixels."""

    stride: int
    reach: int


class Encoder(NamedTuple):
    """A net's feature maps by layer.

    Fields:
        kind: "squeezenet" or "vgg".
        variables: of the net.
        layers: all names, in order.
        apply: (variables, x [B, H, W, 3] from 0 to 255, names) -> {name: [B, h, w, C]}.
        gatys_content, gatys_style: the default layers of Gatys' losses; of VGG, the paper's.
        adain_layer: the layer whose moments AdaIN exchanges.
        adain_style: the layers of AdaIN's style loss.
        smallest: the least height and width of an image, in pixels.
        geometry: of each layer.
        precompute: (variables, names) -> further collections of variables, which speed up repeated calls.
    """

    kind: str
    variables: Mapping[str, Any]
    layers: tuple[str, ...]
    apply: Callable
    gatys_content: tuple[str, ...]
    gatys_style: tuple[str, ...]
    adain_layer: str
    adain_style: tuple[str, ...]
    smallest: int
    geometry: Mapping[str, Geometry]
    precompute: Callable = lambda variables, names: {}

    def check(self, names: tuple[str, ...], key: str) -> None:
        """Check the layers that a config's key names. Raises: InputError if there are none, or for unknown ones."""
        known = ", ".join(self.layers)
        for name in names:
            if name not in self.layers:
                raise InputError(f"{key}: no {name!r}{did_you_mean(name, self.layers)}; {self.kind} has {known}")
        if not names:
            raise InputError(f"{key}: expected at least one of {known}")


def load(name: str, pooling: str = "max") -> Encoder:
    """The encoder of a name; `pooling`, "max" or "average", applies to VGG.

    Raises: InputError for an unknown name or pooling, or a file that holds no VGG.
    """
    kind, _, file = name.partition(":")
    if name == "squeezenet":
        return _squeezenet(jax.tree.map(jnp.asarray, squeezenet.load()))
    if name == "random":
        return _squeezenet(SqueezeNet().init(jax.random.key(0), jnp.zeros((1, SMALLEST, SMALLEST, 3))))
    if kind == "vgg" and file:
        return _vgg(file, pooling)
    raise InputError(f"encoder={name!r}: expected 'squeezenet', which is packaged, or 'vgg:FILE' (docs/style.md)")


def _geometry(layers: tuple[str, ...], pool: int) -> dict[str, Geometry]:
    """The geometry of layers in order: convolutions of 3x3, and poolings of pool x pool, which halve the sides.

    SqueezeNet's first convolution halves them as well.
    """
    places = {}
    stride, reach = 1, 0
    for name in layers:
        if name.startswith("pool") or name == "conv1":
            reach += (pool - 1) * stride
            stride *= 2
        elif not name.startswith("relu"):
            reach += stride
        places[name] = Geometry(stride, reach)
    return places


def _squeezenet(variables) -> Encoder:
    def apply(variables, x, names):
        # Padded by 2 before and 1 after, 4 n pixels become n at fire3, each in the middle of its block.
        x = jnp.pad(x, ((0, 0), (2, 1), (2, 1), (0, 0)), mode="reflect")
        maps = SqueezeNet().apply(variables, x).maps
        return {name: maps[name] / UNIT for name in names}

    return Encoder(
        kind="squeezenet",
        variables=variables,
        layers=SQUEEZENET_LAYERS,
        apply=apply,
        gatys_content=("fire5",),
        gatys_style=("fire2", "fire3", "fire4", "fire6"),
        adain_layer="fire3",
        adain_style=("conv1", "fire2", "fire3", "fire4"),
        smallest=SMALLEST,
        geometry=_geometry(SQUEEZENET_LAYERS, 3),
    )


def _vgg(file: str, pooling: str) -> Encoder:
    weights = load_vgg(file)
    layers = vgg.layers(weights.depth, weights.last)

    def precompute(variables, names):
        return vgg.precompute(variables, vgg.layers(weights.depth, max(names, key=layers.index)))

    def apply(variables, x, names):
        last = max(names, key=layers.index)
        net = vgg.VGG(weights.depth, pooling, weights.padding, weights.ceil, last)
        maps = net.apply(variables, x)
        return {name: maps[name] for name in names}

    style = tuple(name for name in layers if name.startswith("relu") and name.endswith("_1"))
    return Encoder(
        kind="vgg",
        variables=jax.tree.map(jnp.asarray, weights.variables),
        layers=layers,
        apply=apply,
        gatys_content=("relu4_2",) if "relu4_2" in layers else style[-1:],
        gatys_style=style,
        adain_layer="relu4_1",
        adain_style=style[:4],
        smallest=vgg.smallest(weights.depth, weights.last, weights.padding, weights.ceil),
        geometry=_geometry(layers, 2),
        precompute=precompute,
    )
