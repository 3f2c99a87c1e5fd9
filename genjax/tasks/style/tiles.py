"""Statistics of a large image's feature maps, window by window: the whole image's, for the memory of one window.

Each window is encoded again for its gradient, so nothing but the image, its gradient and the statistics is kept.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from genjax.losses.style import gram
from genjax.ops.windows import Windows, places, windows, within
from genjax.weights.encoders import Geometry

LEAST = 1e-6
"""The least sum of weights that is divided by, as in `losses.style.gram`."""


@dataclass(frozen=True)
class Tiles:
    """An encoder, window by window.

    Fields:
        features: a window of an image [H, W, 3] -> {layer: [1, h, w, C]}.
        geometry: of the layers.
        tile, overlap, multiple: as in `ops.windows.windows`.
    """

    features: Callable[[Any], Mapping[str, Any]]
    geometry: Mapping[str, Geometry]
    tile: int
    overlap: int
    multiple: int

    def statistics(self, x, layers: tuple[str, ...], guides: Mapping[str, Any], targets: Mapping[str, Any]):
        """Gram matrices of an image's layers, one per guide, or one of all positions without; and the mean squared
        differences of its maps from targets.

        Shapes: x [H, W, 3], guides {layer: [masks, h, w]}, targets {layer: [1, h, w, C]}
        -> {layer: [masks or 1, C, C]}, {layer: []}.
        """

        def terms(maps, place):
            products = {name: self._gram(maps[name], place, name, guides.get(name)) for name in layers}
            return products, {name: self._square(maps[name], place, name, y) for name, y in targets.items()}

        products, squares = self._sum(terms, x)
        grams = {name: total / jnp.maximum(weight, LEAST)[:, None, None] for name, (total, weight) in products.items()}
        return grams, {name: total / targets[name].size for name, total in squares.items()}

    def maps(self, x, layers: tuple[str, ...]):
        """Feature maps of an image. Shapes: x [H, W, 3] -> {layer: [1, h, w, C]}."""
        sides = self._sides(x)
        here = jnp.asarray(places(*sides))

        def shape(name, of_window):
            last = [side.starts[-1] // self.geometry[name].stride for side in sides]
            return (1, *(a + b for a, b in zip(last, of_window.shape[1:3], strict=True)), of_window.shape[3])

        def write(full, place):
            maps = self.features(_part(x, place, sides))
            written = {}
            for name in layers:
                corner = self._corner(name, place)
                core = within(place, maps[name].shape[1:3], self.geometry[name].stride)[..., None]
                before = lax.dynamic_slice(full[name], corner, maps[name].shape)
                written[name] = lax.dynamic_update_slice(full[name], jnp.where(core > 0, maps[name], before), corner)
            return written, None

        like = jax.eval_shape(lambda: self.features(_part(x, here[0], sides)))
        return lax.scan(write, {name: jnp.zeros(shape(name, like[name])) for name in layers}, here)[0]

    def _sum(self, terms: Callable, x):
        """The sum over windows of terms(feature maps, place)."""
        sides = self._sides(x)
        here = jnp.asarray(places(*sides))

        @jax.checkpoint
        def of_window(x, place):
            return terms(self.features(_part(x, place, sides)), place)

        sums = jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), jax.eval_shape(of_window, x, here[0]))
        return lax.scan(lambda sums, place: (jax.tree.map(jnp.add, sums, of_window(x, place)), None), sums, here)[0]

    def _gram(self, x, place, name, guides):
        """Products of channels, and weights, both summed over the positions of a window's core."""
        core = within(place, x.shape[1:3], self.geometry[name].stride)
        guides = core[None] if guides is None else core * self._slice(guides, name, place, (len(guides), *core.shape))
        weights = jnp.square(guides).sum((1, 2))
        means = jnp.concatenate([gram(x, guide) for guide in guides])
        return means * jnp.maximum(weights, LEAST)[:, None, None], weights

    def _square(self, x, place, name, target):
        core = within(place, x.shape[1:3], self.geometry[name].stride)
        return (jnp.square(x - self._slice(target, name, place, x.shape)) * core[..., None]).sum()

    def _slice(self, full, name, place, shape):
        return lax.dynamic_slice(full, self._corner(name, place)[: len(shape)], shape)

    def _corner(self, name, place):
        down, across = place[:, 0] // self.geometry[name].stride
        return (0, down, across, 0)

    def _sides(self, x) -> tuple[Windows, Windows]:
        return tuple(windows(side, self.tile, self.overlap, self.multiple) for side in x.shape[:2])


def _part(x, place, sides: tuple[Windows, Windows]):
    return lax.dynamic_slice(x, (place[0, 0], place[1, 0], 0), (sides[0].length, sides[1].length, x.shape[2]))
