"""Gatys' style transfer: an image descends until a trained net finds a content's maps and a style's statistics in it.

The image is the net that is trained, its pixels the parameters. The example, of a data set of one, is the content;
the styles are named by the config. A phase is a size: small first, each the start of the next. What is wanted (maps
and Gram matrices) is looked at in a phase's first step and kept in the state.
Source: arXiv:1508.06576; coarse to fine, masks and luma: arXiv:1611.07865; colors: arXiv:1606.05897.
"""

from itertools import accumulate

import jax
import jax.numpy as jnp
import numpy as np
import optax
from ml_collections import ConfigDict

from genjax.config import defaults, pick
from genjax.data.folder import open_image, size_of_image
from genjax.engine.phase import Phase, Task
from genjax.engine.state import Net, State
from genjax.errors import InputError
from genjax.losses import style as losses
from genjax.nets.vgg import POOLINGS
from genjax.ops import chroma
from genjax.ops.pixels import scaled, to_pixels, to_uint8
from genjax.ops.resize import bilinear
from genjax.weights import encoders

STARTS = ("content", "recolored", "noise")
COLORS = ("", "luma", "match")


def config() -> ConfigDict:
    """Every key of a style transfer's config with its default, locked."""
    c = defaults(task="style")
    c.data.name, c.data.size, c.data.channels = "image:content.jpg", "256", 3
    c.encoder = "squeezenet"  # or "vgg:FILE"
    c.pooling = "average"  # of VGG, as the paper has it; or "max", as it was trained
    c.content = ConfigDict({"layers": (), "weight": 1.0})  # (): the encoder's own; see genjax.weights.encoders
    c.style = ConfigDict(
        {
            "images": (),  # files, one or more
            "shares": (),  # of each image; (): all alike
            "masks": (),  # files as large as the content, one an image: white where its style goes; (): everywhere
            "layers": (),  # (): the encoder's own
            "weights": (),  # of each layer; (): all alike
            "scale": 1.0,  # of the styles' longer sides to the content's: how large strokes are
            "weight": 1.0,
        }
    )
    c.variation = ConfigDict({"weight": 0.0})  # of neighboring pixels
    c.relative = True  # each layer's loss in units of what is wanted: weights mean the same for every net and image
    c.start = "recolored"  # the content in the styles' colors; or "content", as it is, or "noise"
    c.color = ""  # the content's colors: "luma" transfers light alone, "match" recolors the styles
    c.coarse = ()  # first with so many times fewer pixels a side: (4, 2)
    c.coarse_steps = 100  # of each of these
    c.optimizer = ConfigDict(
        {"name": "adam", "learning_rate": 0.05, "b1": 0.9, "b2": 0.999}
    )  # or "lbfgs", which needs none
    c.steps, c.batch, c.samples = 300, 1, 1
    c.log_every, c.sample_every, c.save_every = 10, 20, 100
    return c.lock()


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """The transfer to a content of one shape, from its config.

    Raises: InputError for what does not fit, and for images that cannot be read.
    """
    _check(c, shape)
    encoder = encoders.load(c.encoder, c.pooling)
    content_layers, style_layers = tuple(c.content.layers) or encoder.content, tuple(c.style.layers) or encoder.style
    encoder.check(content_layers, "content.layers")
    encoder.check(style_layers, "style.layers")
    layer_weights = _shares(c.style.weights, len(style_layers), "style.weights", "layers")
    shares = _shares(c.style.shares, len(c.style.images), "style.shares", "images")
    sizes = [tuple(max(1, round(n / times)) for n in shape[:2]) for times in (*c.coarse, 1)]
    if min(map(min, sizes)) < encoder.smallest:
        raise InputError(
            f"coarse={c.coarse} of {shape[0]}x{shape[1]} pixels comes to {sizes[0][0]}x{sizes[0][1]}: "
            f"{encoder.kind} needs {encoder.smallest} a side"
        )
    steps = [*[c.coarse_steps] * len(c.coarse), c.steps]
    starts = [0, *accumulate(steps)]
    names = tuple(dict.fromkeys((*content_layers, *style_layers)))
    styles = [_read(path, longest=max(shape) * c.style.scale) for path in c.style.images]
    masks = [_read(path, size=shape[:2]) / 255 for path in c.style.masks]
    tx = _optimizer(**c.optimizer)

    def look(variables, x):
        """Maps of an image from -1 to 1; its luma's alone where colors are the content's. Shapes: x [H, W, 3]."""
        x = chroma.luma(x) * jnp.ones(3) if c.color == "luma" else x
        return encoder.apply(variables, to_pixels(x[None], "tanh"), names)

    def grams(maps):
        """A Gram matrix of each layer and mask, or one a layer for them all. Shapes: {name: [1 or masks, C, C]}."""
        guides = lambda name: [_resized(mask, maps[name].shape[1:3])[..., 0] for mask in masks] or [None]  # noqa: E731
        return {
            name: jnp.concatenate([losses.gram(maps[name], guide) for guide in guides(name)]) for name in style_layers
        }

    def wanted(variables, content, size):
        """What an image of a size is to have: maps of the content, and Gram matrices of the styles [styles, C, C]."""
        content, found = _resized(content, size), {name: [] for name in style_layers}
        for image in styles:
            ratio = size[0] / shape[0]
            image = scaled(_resized(jax.lax.optimization_barrier(image), _times(image.shape, ratio)), "tanh")
            if c.color == "match":
                image = chroma.match_colors(image, content)
            if c.color == "luma":
                image = chroma.match_luma(image, content) * jnp.ones(3)
            maps = look(variables, image)
            for name in style_layers:
                found[name].append(losses.gram(maps[name])[0])
        maps = look(variables, content)
        return {
            "content": {name: maps[name] for name in content_layers},
            "style": {name: jnp.stack(found[name]) for name in style_layers},
        }

    def recolored(content):
        """The content with the mean and covariance of the styles' colors."""
        found = [chroma.match_colors(content, scaled(jax.lax.optimization_barrier(x), "tanh")) for x in styles]
        return jnp.clip(sum(share * x for share, x in zip(shares, found, strict=True)), -1, 1)

    def total(x, variables, target):
        maps = look(variables, x)
        found = grams(maps)

        def part(loss, found, wanted):
            value = loss(found, wanted)
            return value / jnp.maximum(loss(wanted, 0.0), 1e-12) if c.relative else value

        content = sum(part(losses.content, maps[name], target["content"][name]) for name in content_layers)
        style = sum(
            weight * share * part(losses.style, found[name][i if masks else 0], target["style"][name][i])
            for weight, name in zip(layer_weights, style_layers, strict=True)
            for i, share in enumerate(shares)
        )
        variation = losses.total_variation(x[None])
        metrics = {"content/loss": content / len(content_layers), "style/loss": style, "variation/loss": variation}
        weights = c.content.weight, c.style.weight, c.variation.weight
        metrics["loss"] = sum(weight * value for weight, value in zip(weights, metrics.values(), strict=True))
        return metrics["loss"], metrics

    def prepare(state):
        return {"ready": encoder.ready(state.nets["encoder"].variables, names)}

    def phase(number, size):
        key = str(number)

        def enter(state, _):
            """The last size's image, enlarged."""
            if not number:
                return state
            image = state.nets["image"]
            x = _resized(image.params[str(number - 1)], size)
            return _with_image(state, key, x, image.opt)

        def first(state, batch, variables):
            """What is wanted, and the start where it is made of the content."""
            content = scaled(batch["x"][0, 0].astype(float), "tanh")
            extra = state.extra | {"content": content, f"wanted/{number}": wanted(variables, content, size)}
            state = state.replace(extra=extra)
            if number or c.start == "noise":
                return state
            x = content if c.start == "content" or c.color else recolored(content)
            return _with_image(state, key, _resized(x, size), state.nets["image"].opt)

        def step(state, batch, _, ready):
            """One update of the image."""
            variables = {**state.nets["encoder"].variables, **ready}
            begin = state.step == starts[number]
            state = jax.lax.cond(begin, first, lambda state, *_: state, state, batch, variables)
            image, value = state.nets["image"], lambda x: total(x, variables, state.extra[f"wanted/{number}"])
            x, opt = image.params[key], image.opt[key]
            (loss, metrics), gradient = jax.value_and_grad(value, has_aux=True)(x)
            updates, opt = tx.update(gradient, opt, x, value=loss, grad=gradient, value_fn=lambda x: value(x)[0])
            x = optax.apply_updates(x, updates)
            return _with_image(state.replace(step=state.step + 1), key, x, image.opt | {key: opt}), metrics

        name = f"{size[0]}x{size[1]}" + f" of {shape[0]}x{shape[1]}" * (size != shape[:2])
        return Phase(name, steps[number], 1, step, enter=enter, prepare=prepare)

    def init(key):
        images = {
            str(number): 0.25 * jax.random.normal(jax.random.fold_in(key, number), (*size, 3))
            for number, size in enumerate(sizes)
        }
        image = Net(images, {}, {number: _finite(tx.init(x)) for number, x in images.items()})
        state = State(jnp.int32(0), {"image": image, "encoder": Net(encoder.variables["params"], {}, ())}, {}, {})
        content = jnp.zeros(shape)
        likes = {
            f"wanted/{i}": jax.eval_shape(lambda size=size: wanted(encoder.variables, content, size))
            for i, size in enumerate(sizes)
        }
        return state.replace(extra=jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), {"content": content, **likes}))

    def image(state):
        """The image as it is, as large as the content; from -1 to 1, not clipped. Shapes: -> [H, W, 3]."""
        x = _resized(state.nets["image"].params["0"], shape[:2])
        for number in range(1, len(sizes)):
            finer = _resized(state.nets["image"].params[str(number)], shape[:2])
            x = jnp.where(state.step > starts[number], finer, x)
        return chroma.with_luma(state.extra["content"], chroma.luma(x)) if c.color == "luma" else x

    def sample(state, seeds, truncation=None, ema=True):
        """The image, once a seed: there is but one, which is neither drawn nor averaged.

        Shapes: seeds int [N] -> uint8 [N, H, W, 3].
        """
        del truncation, ema
        return jnp.broadcast_to(to_uint8(image(state), "tanh"), (len(seeds), *shape))

    return Task(init, tuple(phase(number, size) for number, size in enumerate(sizes)), {"sample": sample})


def _check(c, shape):
    pick(STARTS, c.start, "start")
    pick(COLORS, c.color, "color")
    pick(POOLINGS, c.pooling, "pooling")
    if len(shape) != 3 or shape[2] != 3:
        raise InputError(
            f"task 'style' takes an image in color, but the data have shape {list(shape)}: data.channels=3"
        )
    if c.batch != 1:
        raise InputError(f"batch={c.batch}: expected 1, the content")
    if not c.style.images:
        raise InputError("style.images is empty: name one or more, as in --config.style.images='(\"a.jpg\",)'")
    if c.style.masks and len(c.style.masks) != len(c.style.images):
        raise InputError(
            f"style.masks: expected one for each of {len(c.style.images)} images, or none, got {len(c.style.masks)}"
        )
    if min(c.content.weight, c.style.weight, c.variation.weight) < 0 or not c.style.scale > 0:
        raise InputError(
            f"content.weight={c.content.weight}, style.weight={c.style.weight}, variation.weight={c.variation.weight}, "
            f"style.scale={c.style.scale}: expected weights of 0 or more and a scale above 0"
        )
    coarse = tuple(c.coarse)
    if any(times <= 1 for times in coarse) or coarse != tuple(sorted(set(coarse), reverse=True)) or c.coarse_steps < 1:
        raise InputError(
            f"coarse={c.coarse}, coarse_steps={c.coarse_steps}: expected falling numbers above 1, as (4, 2)"
        )


def _shares(given, count, what, of):
    """Numbers that sum to one. Raises: InputError for another count, or less than nothing."""
    given = tuple(given) or (1,) * count
    if len(given) != count or min(given) < 0 or not sum(given) > 0:
        raise InputError(f"{what}={given}: expected {count} numbers of 0 or more, one for each of the {of}")
    return [share / sum(given) for share in given]


def _read(path, size=None, longest=0):
    """A file's pixels of a size, or with a longer side of so many. Shapes: -> float32 [H, W, 3], from 0 to 255."""
    if size is None:
        height, width = size_of_image(path)
        size = _times((height, width), longest / max(height, width))
    return np.float32(open_image(path, size).read([0])[0])


def _times(shape, ratio):
    return tuple(max(16, round(n * ratio)) for n in shape[:2])


def _resized(x, size):
    """Shapes: [H, W, 3] -> [*size, 3]."""
    return x if x.shape[:2] == tuple(size) else bilinear(x[None], size)[0]


def _with_image(state, key, x, opt):
    image = state.nets["image"]
    return state.replace(nets=state.nets | {"image": Net(image.params | {key: x}, {}, opt)})


def _finite(opt):
    """An optimizer's state without the infinity that L-BFGS has for a value that it does not know yet, nor asks for."""
    return jax.tree.map(lambda a: jnp.nan_to_num(a, posinf=0.0), opt)


def _optimizer(name, learning_rate, b1, b2):
    makers = {
        "adam": lambda: optax.with_extra_args_support(optax.adam(learning_rate, b1, b2)),
        "lbfgs": lambda: optax.lbfgs(),
    }
    return pick(makers, name, "optimizer.name")()
