"""Nets that style transfer looks through: "squeezenet", which is packaged; "vgg:FILE"; "random", which is untrained."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from genjax.errors import InputError, did_you_mean
from genjax.nets import vgg as vgg_net
from genjax.nets.squeezenet import SMALLEST, SqueezeNet
from genjax.weights import squeezenet, vgg

UNIT = 32.0
"""About the mean of SqueezeNet's maps up to fire4 on photographs: divided by it they are near one, as the normalized
VGG's of arXiv:1508.06576 are, and losses and rates mean the same."""


class Encoder(NamedTuple):
    """A net's maps by name."""

    kind: str  # "squeezenet" or "vgg"
    variables: Mapping[str, Any]
    layers: tuple[str, ...]  # all names, in order
    apply: Callable  # (variables, x [B, H, W, 3] from 0 to 255, names) -> {name: [B, h, w, C]}
    content: tuple[str, ...]  # layers for Gatys' content, as its paper has them
    style: tuple[str, ...]  # and style
    latent: str  # the layer whose moments AdaIN exchanges
    levels: tuple[str, ...]  # layers of AdaIN's style loss
    smallest: int  # pixels a side
    ready: Callable = lambda variables, names: {}  # more collections, that make many looks at the same layers fast

    def check(self, names: tuple[str, ...], what: str) -> None:
        """Raises: InputError for none, or for a name that is no layer's."""
        for name in names:
            if name not in self.layers:
                known = ", ".join(self.layers)
                raise InputError(f"{what}: no {name!r}{did_you_mean(name, self.layers)}; {self.kind} has {known}")
        if not names:
            raise InputError(f"{what}: expected at least one of {', '.join(self.layers)}")


def load(name: str, pooling: str = "max") -> Encoder:
    """The net of this name; `pooling`, "max" or "average", is VGG's.

    Raises: InputError for an unknown name or pooling, or a file that holds no such net.
    """
    kind, _, file = name.partition(":")
    if name == "squeezenet":
        return _squeezenet(jax.tree.map(jnp.asarray, squeezenet.load()))
    if name == "random":
        return _squeezenet(SqueezeNet().init(jax.random.key(0), jnp.zeros((1, SMALLEST, SMALLEST, 3))))
    if kind == "vgg" and file:
        return _vgg(file, pooling)
    raise InputError(f"encoder={name!r}: expected 'squeezenet', which is packaged, or 'vgg:FILE' (docs/style.md)")


def _squeezenet(variables) -> Encoder:
    layers = (
        "conv1",
        "pool1",
        "fire2",
        "fire3",
        "pool3",
        "fire4",
        "fire5",
        "pool5",
        "fire6",
        "fire7",
        "fire8",
        "fire9",
    )

    def apply(variables, x, names):
        # Mirrored by 2 before and 1 after, a side of 4 n comes to n at fire3, each in the middle of its block.
        x = jnp.pad(x, ((0, 0), (2, 1), (2, 1), (0, 0)), mode="reflect")
        maps = SqueezeNet().apply(variables, x).maps
        return {name: maps[name] / UNIT for name in names}

    style = ("fire2", "fire3", "fire4", "fire6")
    levels = ("conv1", "fire2", "fire3", "fire4")
    return Encoder("squeezenet", variables, layers, apply, ("fire5",), style, "fire3", levels, SMALLEST)


def _vgg(file: str, pooling: str) -> Encoder:
    weights = vgg.load(file)
    layers = vgg_net.layers(weights.depth, weights.last)

    def ready(variables, names):
        return vgg_net.ready(variables, vgg_net.layers(weights.depth, max(names, key=layers.index)))

    def apply(variables, x, names):
        last = max(names, key=layers.index)
        net = vgg_net.VGG(weights.depth, pooling, weights.padding, weights.ceil, last)
        maps = net.apply(variables, x)
        return {name: maps[name] for name in names}

    variables = jax.tree.map(jnp.asarray, weights.variables)
    style = tuple(name for name in layers if name.startswith("relu") and name.endswith("_1"))
    content = ("relu4_2",) if "relu4_2" in layers else style[-1:]
    smallest = vgg_net.smallest(weights.depth, weights.last, weights.padding, weights.ceil)
    return Encoder("vgg", variables, layers, apply, content, style, "relu4_1", style[:4], smallest, ready)
