"""Gatys' style transfer: gradient descent on the pixels of an image.

The image is the net that is trained, and its pixels are the parameters. The content is the one image of the data set;
the config names the style images. Each phase works at one size, from small to large, and starts from the result of the
previous one. Its targets (feature maps of the content, Gram matrices of the styles) are computed once, by
`Phase.prepare`; they are not part of the state.
Source: arXiv:1508.06576; coarse to fine, masks and luma: arXiv:1611.07865; colors: arXiv:1606.05897.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from ml_collections import ConfigDict

from genjax import data
from genjax.config import defaults, pick
from genjax.data.folder import open_image, size_of_image
from genjax.data.source import fingerprint
from genjax.engine.phase import Phase, Task
from genjax.engine.state import Key, Net, State
from genjax.errors import InputError
from genjax.losses.style import content_loss, gram, style_loss, total_variation
from genjax.nets.vgg import POOLINGS
from genjax.ops import chroma
from genjax.ops.pixels import scaled, to_pixels, to_uint8
from genjax.ops.resize import bilinear
from genjax.weights import encoders
from genjax.weights.encoders import Encoder

STARTS = ("content", "recolored", "noise")
COLORS = ("", "luma", "match")
SMALLEST_STYLE = 16
"""Pixels on a side that a style image keeps at least."""


def config() -> ConfigDict:
    """Every key of a style transfer's config with its default, locked."""
    c = defaults(task="style")
    c.data.name, c.data.size, c.data.channels = "image:content.jpg", "256", 3
    c.encoder = "squeezenet"  # or "vgg:FILE"
    c.pooling = "average"  # of VGG, as in the paper; or "max", as VGG was trained
    c.content = ConfigDict({"layers": (), "weight": 1.0})  # (): the encoder's defaults, see genjax.weights.encoders
    c.style = ConfigDict(
        {
            "images": (),  # files, one or more
            "shares": (),  # weight of each image; (): equal
            "masks": (),  # files, one per image: white where its style goes; (): everywhere
            "layers": (),  # (): the encoder's defaults
            "weights": (),  # weight of each layer; (): equal
            "scale": 1.0,  # longer side of the style images / that of the content: larger means larger strokes
            "weight": 1.0,
        }
    )
    c.variation = ConfigDict({"weight": 0.0})  # total variation: differences of neighboring pixels
    c.relative = True  # divide the loss of each layer by that of a zero prediction, so that weights suit any net
    c.start = "recolored"  # the content in the styles' colors; or "content", or "noise"
    c.color = ""  # keep the content's colors: "luma" transfers the luma alone, "match" recolors the styles
    c.coarse = ()  # factors by which earlier phases shrink height and width: (4, 2)
    c.coarse_steps = 100  # of each of these phases
    c.optimizer = ConfigDict(
        {"name": "adam", "learning_rate": 0.05, "b1": 0.9, "b2": 0.999}
    )  # or "lbfgs", which uses none of the other keys
    c.steps, c.batch, c.samples = 300, 1, 1
    c.log_every, c.sample_every, c.save_every = 10, 20, 100
    return c.lock()


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """The transfer to a content of one shape, from its config. Images are read when a phase begins, not here.

    Raises: InputError for settings that do not fit; its `files` and phases raise it for images that cannot be read.
    """
    encoder = encoders.load(c.encoder, c.pooling)
    settings = Settings.parse(c, shape, encoder)
    objective = Objective(encoder, settings)
    tx = _optimizer(**c.optimizer)
    images = cache(partial(read_images, c, shape))
    phases = tuple(_phase(objective, tx, number, images) for number in range(len(settings.sizes)))
    outputs = {"sample": partial(sample, settings)}
    return Task(partial(_init, objective, tx), phases, outputs, files=lambda: _digests(c, images()))


@dataclass(frozen=True)
class Settings:
    """A checked config: layers, weights and sizes.

    Fields:
        shape: of the content, (height, width, 3).
        sizes: of the image in each phase, (height, width).
        steps: of each phase.
        content_layers, style_layers: names of the encoder's layers.
        layer_weights: one per style layer; they sum to one.
        shares: one per style image; they sum to one.
        weights: of content, style and total variation in the loss.
        relative, start, color: as in the config.
    """

    shape: tuple[int, ...]
    sizes: tuple[tuple[int, int], ...]
    steps: tuple[int, ...]
    content_layers: tuple[str, ...]
    style_layers: tuple[str, ...]
    layer_weights: tuple[float, ...]
    shares: tuple[float, ...]
    weights: tuple[float, float, float]
    relative: bool
    start: str
    color: str

    @classmethod
    def parse(cls, c: ConfigDict, shape: tuple[int, ...], encoder: Encoder) -> "Settings":
        """The settings of a config; no file is read. Raises: InputError for values that do not fit."""
        _check(c, shape)
        content_layers = tuple(c.content.layers) or encoder.gatys_content
        style_layers = tuple(c.style.layers) or encoder.gatys_style
        encoder.check(content_layers, "content.layers")
        encoder.check(style_layers, "style.layers")
        sizes = tuple(tuple(max(1, round(n / factor)) for n in shape[:2]) for factor in (*c.coarse, 1))
        if min(map(min, sizes)) < encoder.smallest:
            raise InputError(
                f"coarse={c.coarse} of {shape[0]}x{shape[1]} pixels gives {sizes[0][0]}x{sizes[0][1]}: "
                f"{encoder.kind} needs at least {encoder.smallest}x{encoder.smallest}"
            )
        return cls(
            shape=shape,
            sizes=sizes,
            steps=(*[c.coarse_steps] * len(c.coarse), c.steps),
            content_layers=content_layers,
            style_layers=style_layers,
            layer_weights=_normalized(c.style.weights, len(style_layers), "style.weights", "layer"),
            shares=_normalized(c.style.shares, len(c.style.images), "style.shares", "image"),
            weights=(c.content.weight, c.style.weight, c.variation.weight),
            relative=c.relative,
            start=c.start,
            color=c.color,
        )

    @property
    def layers(self) -> tuple[str, ...]:
        """All layers that are used, each once."""
        return tuple(dict.fromkeys((*self.content_layers, *self.style_layers)))

    @property
    def starts(self) -> tuple[int, ...]:
        """The global step at which each phase begins."""
        return (0, *accumulate(self.steps[:-1]))


class Images(NamedTuple):
    """The images of a transfer.

    Shapes: content uint8 [H, W, 3]; styles float32 [h, w, 3] from 0 to 255; masks float32 [H, W, 3] from 0 to 1.
    """

    content: np.ndarray
    styles: tuple[np.ndarray, ...]
    masks: tuple[np.ndarray, ...]


def read_images(c: ConfigDict, shape: tuple[int, ...]) -> Images:
    """The images that a config names. Raises: InputError if one is missing or broken, or if there are two contents."""
    source = data.load(c.data)
    if source.size != 1:
        raise InputError(
            f"data.name={c.data.name} has {source.size:,} images: expected one, the content, "
            "as with data.name=image:FILE or data.split='train[:1]'"
        )
    longest = max(shape[:2]) * c.style.scale
    sizes = [size_of_image(path) for path in c.style.images]
    sizes = [_scaled_size(size, longest / max(size)) for size in sizes]
    styles = (_read(path, size) for path, size in zip(c.style.images, sizes, strict=True))
    masks = (_read(path, shape[:2]) / 255 for path in c.style.masks)
    return Images(source.read([0])[0], tuple(styles), tuple(masks))


def _read(path: str, size: tuple[int, int]) -> np.ndarray:
    return np.float32(open_image(path, size).read([0])[0])


def _digests(c: ConfigDict, images: Images) -> dict[str, str]:
    """SHA-256 of the content's pixels and of the files of styles and masks, by name."""
    paths = (*c.style.images, *c.style.masks)
    files = {path: hashlib.sha256(Path(path).expanduser().read_bytes()).hexdigest() for path in paths}
    return {c.data.name: fingerprint(images.content, None), **files}


class Targets(NamedTuple):
    """The targets of a phase.

    Shapes: content {layer: [1, h, w, C]}; style {layer: [images, C, C]}; guides {layer: [masks, h, w]}, {} without.
    """

    content: dict[str, jax.Array]
    style: dict[str, jax.Array]
    guides: dict[str, jax.Array]


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

    def targets(self, variables: Mapping[str, Any], images: Images, size: tuple[int, int]) -> Targets:
        """The targets of a phase whose image has a size."""
        s = self.settings
        content = _resized(scaled(jnp.asarray(images.content, jnp.float32), "tanh"), size)
        ratio = size[0] / s.shape[0]
        grams = []
        for style in images.styles:
            style = scaled(_resized(jnp.asarray(style), _scaled_size(style.shape[:2], ratio)), "tanh")
            grams.append(self.grams(self.features(variables, self._matched(style, content)), {}))
        features = self.features(variables, content)
        guides = {}
        if images.masks:
            sizes = {name: features[name].shape[1:3] for name in s.style_layers}
            guides = {name: jnp.stack([_resized(mask, sizes[name])[..., 0] for mask in images.masks]) for name in sizes}
        return Targets(
            content={name: features[name] for name in s.content_layers},
            style={name: jnp.concatenate([g[name] for g in grams]) for name in s.style_layers},
            guides=guides,
        )

    def _matched(self, style, content):
        """A style image with the colors that `settings.color` asks for."""
        if self.settings.color == "match":
            return chroma.match_colors(style, content)
        if self.settings.color == "luma":
            return chroma.match_luma(style, content) * jnp.ones(3)
        return style

    def start(self, images: Images):
        """The first image: the content, recolored if the settings say so. Shapes: -> [H, W, 3]."""
        s = self.settings
        content = scaled(jnp.asarray(images.content, jnp.float32), "tanh")
        if s.start == "content" or s.color:
            return content
        matched = [chroma.match_colors(content, scaled(jnp.asarray(style), "tanh")) for style in images.styles]
        return jnp.clip(sum(share * x for share, x in zip(s.shares, matched, strict=True)), -1, 1)

    def loss(self, x, variables: Mapping[str, Any], targets: Targets):
        """The loss of an image and the metrics of its parts. Shapes: x [H, W, 3] -> [], {name: []}."""
        s = self.settings
        features = self.features(variables, x)
        grams = self.grams(features, targets.guides)
        content = sum(self._relative(content_loss, features[name], targets.content[name]) for name in s.content_layers)
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
        total = sum(weight * value for weight, value in zip(s.weights, parts.values(), strict=True))
        return total, parts | {"loss": total}

    def _relative(self, loss: Callable, current, target):
        """A loss, divided by that of a zero prediction if `settings.relative`."""
        value = loss(current, target)
        return value / jnp.maximum(loss(target, 0.0), 1e-12) if self.settings.relative else value


def _phase(objective: Objective, tx, number: int, images: Callable[[], Images]) -> Phase:
    """One size of the image: how its phase begins, what its steps take besides the state, and a step."""
    s, key = objective.settings, str(number)
    size = s.sizes[number]

    def enter(state: State, _: Key, images: Images) -> State:
        """Start from the smaller image, enlarged; in the first phase from the content or from noise."""
        if number:
            x = state.nets["image"].params[str(number - 1)]
            return _with_image(state, key, _resized(x, size), state.nets["image"].opt)
        if s.color == "luma":
            state = state.replace(extra={"content": jnp.asarray(images.content)})
        if s.start == "noise":
            return state
        return _with_image(state, key, _resized(objective.start(images), size), state.nets["image"].opt)

    def prepare(state: State, images: Images) -> dict[str, Any]:
        """The targets, and what makes repeated calls of the encoder fast."""
        variables = state.nets["encoder"].variables
        kernels = objective.encoder.precompute(variables, s.layers)
        return {"kernels": kernels, "targets": objective.targets({**variables, **kernels}, images, size)}

    def step(state: State, batch, _: Key, kernels, targets: Targets):
        """One update of the image; the content is in the targets, so the batch is not used."""
        variables = {**state.nets["encoder"].variables, **kernels}
        image = state.nets["image"]
        x = image.params[key]
        opt = image.opt[key]

        def loss(x):
            return objective.loss(x, variables, targets)

        (value, metrics), gradient = jax.value_and_grad(loss, has_aux=True)(x)
        updates, opt = tx.update(gradient, opt, x, value=value, grad=gradient, value_fn=lambda x: loss(x)[0])
        x = optax.apply_updates(x, updates)
        return _with_image(state.replace(step=state.step + 1), key, x, image.opt | {key: opt}), metrics

    name = f"{size[0]}x{size[1]}"
    if size != s.shape[:2]:
        name += f" of {s.shape[0]}x{s.shape[1]}"
    return Phase(name, s.steps[number], 1, step, enter=enter, prepare=prepare, inputs=lambda: {"images": images()})


def _init(objective: Objective, tx, key: Key) -> State:
    """Noise of every size, and the encoder. With color="luma" the state has room for the content: outputs need it."""
    s = objective.settings
    images = {
        str(number): 0.25 * jax.random.normal(jax.random.fold_in(key, number), (*size, 3))
        for number, size in enumerate(s.sizes)
    }
    image = Net(images, {}, {number: _finite(tx.init(x)) for number, x in images.items()})
    encoder = Net(objective.encoder.variables["params"], {}, ())
    extra = {"content": jnp.zeros(s.shape, jnp.uint8)} if s.color == "luma" else {}
    return State(jnp.int32(0), {"image": image, "encoder": encoder}, {}, extra)


def current_image(settings: Settings, state: State):
    """The image in training, resized to the content's shape; from -1 to 1, not clipped. Shapes: -> [H, W, 3]."""
    size = settings.shape[:2]
    x = _resized(state.nets["image"].params["0"], size)
    for number, start in enumerate(settings.starts[1:], 1):
        finer = _resized(state.nets["image"].params[str(number)], size)
        x = jnp.where(state.step > start, finer, x)
    if settings.color == "luma":
        content = scaled(state.extra["content"].astype(jnp.float32), "tanh")
        return chroma.with_luma(content, chroma.luma(x))
    return x


def sample(settings: Settings, state: State, seeds, truncation=None, ema=True):
    """The image, once per seed: there is only one, which is neither drawn nor averaged.

    Shapes: seeds int [N] -> uint8 [N, H, W, 3].
    """
    del truncation, ema
    return jnp.broadcast_to(to_uint8(current_image(settings, state), "tanh"), (len(seeds), *settings.shape))


def _check(c: ConfigDict, shape: tuple[int, ...]) -> None:
    """Refuse settings that fit no transfer. Raises: InputError."""
    pick(STARTS, c.start, "start")
    pick(COLORS, c.color, "color")
    pick(POOLINGS, c.pooling, "pooling")
    if len(shape) != 3 or shape[2] != 3:
        raise InputError(
            f"task 'style' takes an image in color, but the data have shape {list(shape)}: set data.channels=3"
        )
    if c.batch != 1:
        raise InputError(f"batch={c.batch}: expected 1, the content")
    if not c.style.images:
        raise InputError("style.images is empty: name one or more, as in --config.style.images='(\"a.jpg\",)'")
    if c.style.masks and len(c.style.masks) != len(c.style.images):
        raise InputError(
            f"style.masks: expected none, or one per image ({len(c.style.images)}), got {len(c.style.masks)}"
        )
    if min(c.content.weight, c.style.weight, c.variation.weight) < 0 or not c.style.scale > 0:
        raise InputError(
            f"content.weight={c.content.weight}, style.weight={c.style.weight}, variation.weight={c.variation.weight}, "
            f"style.scale={c.style.scale}: expected weights of 0 or more and a scale above 0"
        )
    coarse = tuple(c.coarse)
    falling = coarse == tuple(sorted(set(coarse), reverse=True))
    if not falling or any(factor <= 1 for factor in coarse) or c.coarse_steps < 1:
        raise InputError(
            f"coarse={c.coarse}, coarse_steps={c.coarse_steps}: expected falling numbers above 1, as (4, 2), and at "
            "least one step"
        )


def _normalized(values: Sequence[float], count: int, key: str, item: str) -> tuple[float, ...]:
    """Numbers that sum to one; equal ones for (). Raises: InputError for another count or a negative number."""
    values = tuple(values) or (1,) * count
    if len(values) != count or min(values) < 0 or not sum(values) > 0:
        raise InputError(f"{key}={values}: expected {count} numbers of 0 or more, not all 0, one per {item}")
    return tuple(value / sum(values) for value in values)


def _scaled_size(size: tuple[int, ...], ratio: float) -> tuple[int, ...]:
    return tuple(max(SMALLEST_STYLE, round(n * ratio)) for n in size)


def _resized(x, size: tuple[int, ...]):
    """Shapes: [H, W, 3] -> [*size, 3]."""
    return x if x.shape[:2] == tuple(size) else bilinear(x[None], size)[0]


def _with_image(state: State, key: str, x, opt) -> State:
    image = state.nets["image"]
    return state.replace(nets=state.nets | {"image": Net(image.params | {key: x}, {}, opt)})


def _finite(opt):
    """An optimizer's state with zeros for infinities: L-BFGS starts with one, which it never uses."""
    return jax.tree.map(lambda a: jnp.nan_to_num(a, posinf=0.0), opt)


def _optimizer(name: str, learning_rate: float, b1: float, b2: float) -> optax.GradientTransformationExtraArgs:
    makers = {
        "adam": lambda: optax.with_extra_args_support(optax.adam(learning_rate, b1, b2)),
        "lbfgs": lambda: optax.lbfgs(),
    }
    return pick(makers, name, "optimizer.name")()
