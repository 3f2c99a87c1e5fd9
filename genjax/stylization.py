"""Images in the style of others: by gradient descent (Gatys), or in one pass (AdaIN)."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from genjax import data, tasks
from genjax.data.encoded import find_broken
from genjax.data.folder import images_of, open_image, size_of_image
from genjax.data.images import AS_STORED
from genjax.data.listing import list_files
from genjax.engine import loop
from genjax.engine.cost import cost
from genjax.engine.mesh import make_mesh
from genjax.engine.phase import Task
from genjax.engine.state import Net, State
from genjax.errors import InputError
from genjax.files import expand
from genjax.ops import chroma
from genjax.ops.moments import EPSILON, moments, with_moments
from genjax.ops.pixels import quantize
from genjax.ops.resize import bilinear
from genjax.ops.windows import Windows, check_windows, overlap_of, places, windows, within
from genjax.report.console import Progress
from genjax.run.fit import fit
from genjax.run.restore import load_info, restore, saved_config
from genjax.tasks import adain, style
from genjax.text import bytes_text, listed
from genjax.weights import squeezenet
from genjax.weights.adain import load_decoder, widths_of

if TYPE_CHECKING:
    from PIL.Image import Image

SMALLEST = 32
"""Pixels of an image's shorter side at least."""
OWN = 0
"""In place of a number of pixels: those of each image's longer side."""
MULTIPLE = 8
"""AdaIN pads height and width to a multiple of this, so that its decoder returns the size it was given."""
BORDER = 32
"""Pixels that AdaIN mirrors beyond each side, and cuts off the result: the encoder's zeros beyond its maps would draw a
frame into flat images. Not in the paper."""


def size_of(path, longest: int) -> tuple[int, int]:
    """Height and width of an image's file, scaled to `longest` pixels on the longer side. Raises: InputError."""
    return scaled_size(path, size_of_image(path), longest)


def scaled_size(path, size: tuple[int, int], longest: int) -> tuple[int, int]:
    """A size (height, width) scaled to `longest` pixels, or OWN, on the longer side; `path` has it.

    Raises: InputError if that is too small for the encoder.
    """
    height, width = size
    longest = longest or max(size)
    size = tuple(max(1, round(side * longest / max(height, width))) for side in (height, width))
    if min(size) < SMALLEST:
        raise InputError(
            f"{path} is {height}x{width}: with {longest} pixels on the longer side the shorter has {min(size)}, and "
            f"the encoder needs {SMALLEST}: crop it, or ask for a larger --size"
        )
    return size


def read_image(path, longest: int) -> np.ndarray:
    """The pixels of an image's file, from 0 to 255, scaled as `size_of`. Shapes: -> float32 [H, W, 3].

    Raises: InputError if it cannot be read.
    """
    return np.float32(open_image(path, size_of(path, longest)).read([0])[0])


def contents_of(path, longest: int) -> tuple[list[str], str]:
    """Names of all images below a folder, sorted, and a note on its other files ("" if there are none).

    Raises: InputError if there is no image, or some are broken or too small for the encoder at this size.
    """
    listing = list_files(Path(expand(path)))
    images = images_of(listing)
    broken = {images.name(index): reason for index, reason in find_broken(images, AS_STORED).items()}
    if broken:
        reasons = [f"{name} ({reason})" for name, reason in broken.items()]
        number = "An image" if len(broken) == 1 else f"{len(broken)} images"
        raise InputError(f"{number} of {images.count:,} cannot be used: {listed(reasons, 20)}. Replace or remove them.")
    for name in listing.images:
        size_of(Path(listing.root, name), longest)
    return listing.images, listing.account(images.count)


# By descent


def gatys_config(content: str, styles: Sequence[str], longest: int) -> ConfigDict:
    """The config of a descent to one image in the given styles, at a size. Raises: InputError."""
    height, width = size_of(content, longest)
    c = gatys_config_of(height, width, styles)
    c.data.update(name=f"image:{content}", size=f"{height}x{width}", resize="squash", upscale=True)
    return c


def gatys_config_of(height: int, width: int, styles: Sequence[str]) -> ConfigDict:
    """The config of a descent to a content of a size, which it does not name."""
    c = style.config()
    c.style.update(images=tuple(map(str, styles)), weight=30.0)
    c.variation.weight = 1.0
    c.steps = 150
    c.coarse = (2,) if min(height, width) >= 2 * SMALLEST else ()
    return c


def descend(config: ConfigDict, frames: int = 1) -> Iterator["Image"]:
    """Train a config of genjax.tasks.style, without a run's folder.

    Prints the memory of a step first, and shows progress. Yields: about `frames` images, the result last.
    Raises: InputError for settings that do not fit and images that cannot be read.
    """
    from PIL import Image

    source = data.load(config.data)
    task = tasks.build(config, source.shape)
    mesh = make_mesh(jax.devices()[:1])
    sample = jax.jit(task.outputs["sample"])
    every = max(1, task.steps // frames)
    with Progress(task.steps) as progress:
        progress.say(f"{source.shape[0]}x{source.shape[1]} pixels, about {bytes_text(_peak(task, source))} of memory")
        for result in fit(task, source, config.seed, (every,), mesh=mesh):
            progress.name = result.phase.name
            progress.update(result.step, {name: float(rows[-1]) for name, rows in result.metrics.items()})
            if result.step % every == 0 or result.step == task.steps:
                yield Image.fromarray(np.asarray(sample(result.state, np.arange(1)))[0])


def _peak(task: Task, source: data.Source) -> int:
    """Bytes that a step of the last phase, the largest image, takes."""
    batch = {"x": jax.ShapeDtypeStruct((1, 1, *source.shape), source.dtype)}
    key = jax.eval_shape(lambda: jax.random.key(0))
    return cost(task.phases[-1].prepared_step, loop.shapes(task), batch, key).peak


# In one pass


class Painter:
    """Applies one style, or a mixture of several, to images, with an AdaIN decoder."""

    def __init__(
        self,
        workdir: str,
        styles: Sequence[str],
        shares: Sequence[float] = (),
        masks: Sequence[str] = (),
        color: str = "",
        alpha: float = 1.0,
        size: int = 512,
        tile: int = 0,
        overlap: int = 0,
    ):
        """`workdir`: a run of genjax.tasks.adain, or "" for the packaged decoder; the rest is as in genjax.stylize.

        Raises: InputError for a folder without such a run, for images that cannot be read, for invalid shares, and for
        tiles that do not fit the nets.
        """
        shares = list(shares) or [1.0] * len(styles)
        if min(shares) < 0 or not sum(shares):
            raise InputError(f"shares {shares}: expected numbers of 0 or more, not all 0")
        self.task, self.state, config = _restored(workdir) if workdir else packaged_painter()
        self.tile = tile
        self.overlap = overlap
        if tile or overlap:
            self.overlap = overlap or overlap_of(adain.reach(config), MULTIPLE)
            check_windows(tile, self.overlap, MULTIPLE, SMALLEST)
        self.shares = np.array(shares) / sum(shares)
        self.color = color
        self.alpha = alpha
        self.size = size
        self.styles = [read_image(path, size) for path in styles]
        self.masks = [read_image(path, size).mean(-1) / 255 for path in masks]
        # With `color`, the styles are recolored for each content, and so are their moments.
        self.style_moments = [] if color else [self._moments_of(_padded(x)) for x in self.styles]

    def memory(self, path) -> tuple[int, int, int]:
        """The height and width at which an image's file is stylized, and the bytes that takes. Raises: InputError."""
        height, width = size_of(path, self.size)
        padded = [side + sum(pad) for side, pad in zip((height, width), _padding(height, width), strict=True)]
        if self.tile:
            padded = [side.length for side in self._sides(padded)]
        content = jax.ShapeDtypeStruct((1, *padded, 3), jnp.float32)
        guides = jax.ShapeDtypeStruct((len(self.styles), *padded, 1), jnp.float32)
        style_moments = [jax.eval_shape(self._moments, self.state, content) for _ in self.styles]
        return height, width, cost(self._stylize, self.state, content, style_moments, guides).peak

    def paint(self, path) -> "Image":
        """An image's file in the style. Raises: InputError if it cannot be read."""
        from PIL import Image

        return Image.fromarray(quantize(self.painted(read_image(path, self.size))))

    def painted(self, content: np.ndarray) -> np.ndarray:
        """A content in the style, not rounded. Shapes: float32 [H, W, 3] from 0 to 255, kept."""
        height, width = content.shape[:2]
        padded = _padded(self._uncolored(content))
        recolored = [] if self.style_moments else [_padded(self._recolored(x, content)) for x in self.styles]
        style_moments = self.style_moments or [self._moments_of(x) for x in recolored]
        guides = np.pad(self._guides(height, width), [(0, 0), *_padding(height, width), (0, 0)], mode="edge")
        stylize = self._in_tiles if self.tile else partial(self._stylize, self.state)
        y = np.asarray(stylize(padded[None], style_moments, guides))[0, BORDER:, BORDER:][:height, :width]
        if self.color == "luma":
            y = chroma.with_luma(content, jnp.clip(chroma.luma(y), 0, 255))
        return np.asarray(y)

    def _uncolored(self, content):
        """The input of the encoder: the content, or its luma as gray."""
        return np.asarray(chroma.luma(content) * jnp.ones(3)) if self.color == "luma" else content

    def _recolored(self, x, content):
        """A style with the content's colors, or its luma as gray, matched to the content's."""
        if self.color == "match":
            return jnp.clip(chroma.match_colors(x, content), 0, 255)
        return chroma.match_luma(x, content) * jnp.ones(3)

    def _guides(self, height, width):
        """The weight of each style at each position. Shapes: -> [styles, height, width, 1] that sum to one."""
        if not self.masks:
            return np.tile(self.shares[:, None, None, None], (1, height, width, 1)).astype(np.float32)
        masks = [bilinear(mask[None, :, :, None], (height, width))[0] for mask in self.masks]
        guides = np.stack(masks) * self.shares[:, None, None, None] + 1e-6
        return (guides / guides.sum(0)).astype(np.float32)

    def _moments_of(self, x):
        """Moments of the features of an image. Shapes: [H, W, 3] -> two [1, 1, 1, C]."""
        if not self.tile:
            return self._moments(self.state, x[None])
        sums = [0.0, 0.0, 0.0]
        sides = self._sides(x.shape[:2])
        for place in places(*sides):
            sums = [total + np.float64(part) for total, part in zip(sums, self._sums(x, place, sides), strict=True)]
        mean = sums[1] / sums[0]
        variance = np.maximum(sums[2] / sums[0] - mean**2, 0)
        return tuple(np.float32(value)[None, None, None] for value in (mean, np.sqrt(variance + EPSILON)))

    def _sides(self, size) -> tuple[Windows, Windows]:
        return tuple(windows(side, self.tile, self.overlap, MULTIPLE) for side in size)

    def _sums(self, x, place, sides):
        return self._core_sums(self.state, _part(x, place, sides)[None], place)

    @partial(jax.jit, static_argnums=0)
    def _core_sums(self, state, part, place):
        """The number of positions of a window's core, and the sums of its features and of their squares.

        Shapes: part [1, h, w, 3] -> [], [C], [C].
        """
        f = self.task.outputs["features"](state, part)
        core = within(place, f.shape[1:3], part.shape[1] // f.shape[1])[..., None]
        return core.sum(), (core * f).sum((0, 1, 2)), (core * jnp.square(f)).sum((0, 1, 2))

    def _in_tiles(self, x, style_moments, guides):
        """As `_stylize`, for the memory of one window: content, moments and guides are those of the whole image."""
        own = self._moments_of(x[0])
        sides = self._sides(x.shape[1:3])
        y = np.empty(x.shape, np.float32)
        for place in places(*sides):
            here = [slice(start, start + side.length) for start, side in zip(place[:, 0], sides, strict=True)]
            part = self._stylize(self.state, x[:, *here], style_moments, guides[:, *here], own)
            core = [slice(first, min(end, side.length)) for (_, first, end), side in zip(place, sides, strict=True)]
            target = [slice(s.start + c.start, s.start + c.stop) for s, c in zip(here, core, strict=True)]
            y[:, *target] = np.asarray(part)[:, *core]
        return y

    @partial(jax.jit, static_argnums=0)
    def _moments(self, state, style):
        return moments(self.task.outputs["features"](state, style))

    @partial(jax.jit, static_argnums=0)
    def _stylize(self, state, content, style_moments, guides, own=None):
        """`own`: the moments of the image that the content is a window of; None: those of the content.

        Source: arXiv:1703.06868, eqs. 14 and 15: between content and style, and between styles.
        """
        f = self.task.outputs["features"](state, content)
        guides = bilinear(guides, f.shape[1:3])
        mixed = sum(guide * with_moments(f, *pair, own) for guide, pair in zip(guides, style_moments, strict=True))
        return self.task.outputs["pixels"](state, (1 - self.alpha) * f + self.alpha * mixed)


def _padding(height, width):
    return [(BORDER, BORDER + -side % MULTIPLE) for side in (height, width)]


def _padded(x):
    return np.pad(x, [*_padding(*x.shape[:2]), (0, 0)], mode="symmetric")


def _part(x, place, sides: tuple[Windows, Windows]):
    return x[tuple(slice(start, start + side.length) for start, side in zip(place[:, 0], sides, strict=True))]


def _restored(workdir: str) -> tuple[Task, State, ConfigDict]:
    """A run of AdaIN, and its config. Raises: InputError for a folder without one."""
    config = saved_config(load_info(workdir))
    if config.task != "adain":
        raise InputError(f"{workdir} is a run of the task {config.task!r}: expected one of 'adain'")
    return *restore(workdir), config


def packaged_painter() -> tuple[Task, State, ConfigDict]:
    """AdaIN with SqueezeNet and the packaged decoder, as `_restored`. Raises: InputError if a file is damaged."""
    decoder = load_decoder()
    config = adain.config()
    config.widths = widths_of(decoder)
    task = tasks.build(config, (256, 128, 3))
    nets = {"decoder": Net(decoder, {}, ()), "encoder": Net(squeezenet.load()["params"], {}, ())}
    return task, State(jnp.int32(0), nets, {}, {}), config
