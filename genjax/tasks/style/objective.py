"""The loss of a style transfer, and the targets that it compares an image with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from genjax.losses.style import content_loss, gram, style_loss, temporal_loss, total_variation
from genjax.ops import chroma
from genjax.ops.pixels import scaled, to_pixels
from genjax.tasks.style.images import Carried, Images, resized, scaled_size
from genjax.tasks.style.settings import Settings
from genjax.tasks.style.tiles import Tiles
from genjax.weights.encoders import Encoder


class Targets(NamedTuple):
    """The targets of a phase.

    Shapes: content {layer: [1, h, w, C]}; style {layer: [images, C, C]}; guides {layer: [masks, h, w]}, {} without;
    carried: of the size of the phase, from -1 to 1; None without.
    """

    content: dict[str, jax.Array]
    style: dict[str, jax.Array]
    guides: dict[str, jax.Array]
    carried: Carried | None = None


@dataclass(frozen=True)
class Objective:
    """The loss of an image, and its targets. Images are from -1 to 1; `variables` are the encoder's."""

    encoder: Encoder
    settings: Settings

    def features(self, variables: Mapping[str, Any], x):
        """Feature maps of an image; of its luma alone if colors are the content's.

        Shapes: x [H, W, 3] -> {layer: [1, h, w, C]}.
        """
        x = chroma.luma(x) * jnp.ones(3) if self.settings.color == "luma" else x
        return self.encoder.apply(variables, to_pixels(x[None], "tanh"), self.settings.layers)

    def grams(self, features, guides):
        """Gram matrices of feature maps, per layer and guide. Shapes: -> {layer: [masks or 1, C, C]}."""
        return {
            name: jnp.concatenate([gram(features[name], guide) for guide in guides[name]])
            if guides
            else gram(features[name])
            for name in self.settings.style_layers
        }

    def tiles(self, variables: Mapping[str, Any]) -> Tiles:
        """The encoder, window by window, if the settings ask for tiles."""
        s = self.settings
        return Tiles(partial(self.features, variables), self.encoder.geometry, s.tile, s.overlap, s.multiple)

    def _maps(self, variables: Mapping[str, Any], x):
        """The maps of the content's layers; of the style's, too, if masks need their sizes."""
        if not self.settings.tile:
            return self.features(variables, x)
        return self.tiles(variables).maps(x, self.settings.layers)

    def _style(self, variables: Mapping[str, Any], x):
        """Gram matrices of a style image."""
        if not self.settings.tile:
            return self.grams(self.features(variables, x), {})
        return self.tiles(variables).statistics(x, self.settings.style_layers, {}, {})[0]

    def targets(self, variables: Mapping[str, Any], images: Images, size: tuple[int, int]) -> Targets:
        """The targets of a phase whose image has a size."""
        s = self.settings
        content = resized(scaled(jnp.asarray(images.content, jnp.float32), "tanh"), size)
        ratio = size[0] / s.shape[0]
        grams = []
        for style in images.styles:
            style = scaled(resized(jnp.asarray(style), scaled_size(style.shape[:2], ratio)), "tanh")
            grams.append(self._style(variables, self._matched(style, content)))
        features = self._maps(variables, content)
        guides = {}
        if images.masks:
            sizes = {name: features[name].shape[1:3] for name in s.style_layers}
            guides = {name: jnp.stack([resized(mask, sizes[name])[..., 0] for mask in images.masks]) for name in sizes}
        return Targets(
            content={name: features[name] for name in s.content_layers},
            style={name: jnp.concatenate([g[name] for g in grams]) for name in s.style_layers},
            guides=guides,
            carried=self._carried(images.carried, size),
        )

    def _carried(self, carried: Carried | None, size: tuple[int, int]) -> Carried | None:
        if carried is None:
            return None
        return Carried(resized(scaled(jnp.asarray(carried.image), "tanh"), size), resized(carried.known, size))

    def _matched(self, style, content):
        """A style image with the colors that `settings.color` asks for."""
        if self.settings.color == "match":
            return chroma.match_colors(style, content)
        if self.settings.color == "luma":
            return chroma.match_luma(style, content) * jnp.ones(3)
        return style

    def start(self, images: Images):
        """The first image: of a frame the last result where it is known; elsewhere and otherwise the content, recolored
        if the settings say so. Shapes: -> [H, W, 3].
        """
        x = self._start_alone(images)
        if images.carried is None:
            return x
        return x + images.carried.known * (scaled(jnp.asarray(images.carried.image), "tanh") - x)

    def _start_alone(self, images: Images):
        s = self.settings
        content = scaled(jnp.asarray(images.content, jnp.float32), "tanh")
        if s.start == "content" or s.color:
            return content
        matched = [chroma.match_colors(content, scaled(jnp.asarray(style), "tanh")) for style in images.styles]
        return jnp.clip(sum(share * x for share, x in zip(s.shares, matched, strict=True)), -1, 1)

    def loss(self, x, variables: Mapping[str, Any], targets: Targets):
        """The loss of an image and the metrics of its parts. Shapes: x [H, W, 3] -> [], {name: []}."""
        s = self.settings
        if s.tile:
            grams, squares = self.tiles(variables).statistics(x, s.style_layers, targets.guides, targets.content)
            content = sum(self._share(squares[name] / 2, content_loss, targets.content[name]) for name in squares)
        else:
            features = self.features(variables, x)
            grams = self.grams(features, targets.guides)
            pairs = [(features[name], targets.content[name]) for name in s.content_layers]
            content = sum(self._relative(content_loss, *pair) for pair in pairs)
        style = sum(
            weight * share * self._relative(style_loss, grams[name][i if targets.guides else 0], targets.style[name][i])
            for weight, name in zip(s.layer_weights, s.style_layers, strict=True)
            for i, share in enumerate(s.shares)
        )
        parts = {
            "content/loss": content / len(s.content_layers),
            "style/loss": style,
            "variation/loss": total_variation(x[None]),
        }
        weights = s.weights
        if targets.carried is not None:
            compared = chroma.luma if s.color == "luma" else lambda x: x
            parts["temporal/loss"] = temporal_loss(compared(x), compared(targets.carried.image), targets.carried.known)
            weights = (*weights, s.temporal)
        total = sum(weight * value for weight, value in zip(weights, parts.values(), strict=True))
        return total, parts | {"loss": total}

    def _relative(self, loss: Callable, current, target):
        return self._share(loss(current, target), loss, target)

    def _share(self, value, loss: Callable, target):
        """The value of a loss, divided by that of a zero prediction if `settings.relative`."""
        return value / jnp.maximum(loss(target, 0.0), 1e-12) if self.settings.relative else value
