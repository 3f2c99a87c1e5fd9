"""Images painted in the manner of others: by descent (Gatys), or at once (AdaIN)."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from genjax import data, tasks
from genjax.data.folder import SUFFIXES, open_image, size_of_image
from genjax.engine import loop
from genjax.engine.cost import cost
from genjax.engine.mesh import make_mesh
from genjax.engine.phase import Task
from genjax.engine.state import Net, State
from genjax.errors import InputError
from genjax.ops import chroma
from genjax.ops.moments import moments, with_moments
from genjax.ops.pixels import quantize
from genjax.ops.resize import bilinear
from genjax.report.console import Progress
from genjax.run.fit import fit
from genjax.run.restore import load_info, restore
from genjax.tasks import adain, style
from genjax.text import bytes_text
from genjax.weights import adain as packaged
from genjax.weights import squeezenet


def size_of(path, longest: int) -> tuple[int, int]:
    """Height and width of an image whose longer side is brought to so many pixels. Raises: InputError."""
    height, width = size_of_image(path)
    found = tuple(max(1, round(side * longest / max(height, width))) for side in (height, width))
    if min(found) < 32:
        raise InputError(
            f"{path} is {height}x{width}: with {longest} pixels on the longer side the shorter has {min(found)}, and a "
            "net needs 32: cut it, or ask for a larger --size"
        )
    return found


def files_of(path) -> list[Path]:
    """An image's file, or all of a folder in the order of their names. Raises: InputError where there is none."""
    path = Path(path).expanduser()
    found = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
    if not found:
        raise InputError(f"{path} has no {', '.join(SUFFIXES)} file")
    stems = [p.stem for p in found]
    if twice := next((stem for stem in stems if stems.count(stem) > 1), None):
        raise InputError(f"{path} has two images called {twice!r}: rename one, since both would become {twice}.png")
    return found


def gatys_config(content: str, styles: Sequence[str], longest: int) -> ConfigDict:
    """The config of a descent to one image in the manner of others, at a size. Raises: InputError."""
    c, (height, width) = style.config(), size_of(content, longest)
    c.data.update(name=f"image:{content}", size=f"{height}x{width}", resize="squash", upscale=True)
    c.style.update(images=tuple(map(str, styles)), weight=30.0)
    c.variation.weight, c.steps = 1.0, 150
    c.coarse = (2,) if min(height, width) >= 64 else ()
    return c


def descend(config: ConfigDict, frames: int = 1) -> Iterator:
    """The image that a config of genjax.tasks.style comes to, after some of those on its way.

    Says first what memory a step takes, and shows progress. Yields: Pillow images.
    Raises: InputError for what cannot be painted.
    """
    from PIL import Image

    source = data.load(config.data)
    task, mesh = tasks.build(config, source.shape), make_mesh(jax.devices()[:1])
    batch = {"x": jax.ShapeDtypeStruct((1, 1, *source.shape), source.dtype)}
    needed = cost(
        task.phases[-1].prepared_step, loop.shapes(task), batch, jax.eval_shape(lambda: jax.random.key(0))
    ).peak
    sample = jax.jit(task.outputs["sample"])
    with Progress(task.steps) as progress:
        progress.say(f"{source.shape[0]}x{source.shape[1]} pixels, about {bytes_text(needed)} of memory")
        every = max(1, task.steps // frames)
        for chunk in fit(task, source, config.seed, (every,), mesh=mesh):
            progress.name = chunk.phase.name
            progress.update(chunk.step, {name: float(rows[-1]) for name, rows in chunk.metrics.items()})
            if chunk.step % every == 0 or chunk.step == task.steps:
                yield Image.fromarray(np.asarray(sample(chunk.state, np.arange(1)))[0])


class Painter:
    """Paints images at once, in one style or several."""

    def __init__(
        self,
        workdir: str,
        styles: Sequence[str],
        shares: Sequence[float] = (),
        masks: Sequence[str] = (),
        color: str = "",
        alpha: float = 1.0,
        size: int = 512,
    ):
        """`workdir`: a run of genjax.tasks.adain, or "" for the packaged decoder; the rest is as in genjax.stylize.

        Raises: InputError for a folder without such a run, images that cannot be read, and shares that mean nothing.
        """
        shares = list(shares) or [1.0] * len(styles)
        if min(shares) < 0 or not sum(shares):
            raise InputError(f"shares {shares}: expected numbers of 0 or more, not all 0")
        self.task, self.state = self._open(workdir) if workdir else packaged_painter()
        self.shares, self.color, self.alpha, self.size = np.array(shares) / sum(shares), color, alpha, size
        self.styles = [self._read(path) for path in styles]
        self.masks = [self._read(path).mean(-1) / 255 for path in masks]
        self.found = [] if color else [self._moments(self.state, x[None]) for x in self.styles]  # of any content

    @staticmethod
    def _open(workdir):
        about = load_info(workdir)
        if about["config"]["task"] != "adain":
            raise InputError(f"{workdir} is a run of the task {about['config']['task']!r}: expected one of 'adain'")
        return restore(workdir)

    def _read(self, path):
        return np.float32(open_image(path, size_of(path, self.size)).read([0])[0])

    def memory(self, path) -> tuple[int, int, int]:
        """Height and width that an image's file is painted with, and the bytes that this takes. Raises: InputError."""
        height, width = size_of(path, self.size)
        size = tuple(-(-side // 8) * 8 for side in (height, width))
        content = jax.ShapeDtypeStruct((1, *size, 3), jnp.float32)
        guides = jax.ShapeDtypeStruct((len(self.styles), *size, 1), jnp.float32)
        found = [jax.eval_shape(self._moments, self.state, content) for _ in self.styles]
        return height, width, cost(self._painted, self.state, content, found, guides).peak

    def paint(self, path):
        """An image's file in the style. Returns: a Pillow image. Raises: InputError for a broken one."""
        from PIL import Image

        content = self._read(path)
        height, width = content.shape[:2]
        spare = [(0, -side % 8) for side in (height, width)]
        guides = self._guides(*(side + more for side, (_, more) in zip((height, width), spare, strict=True)))
        seen = np.pad(self._seen(content), [*spare, (0, 0)], mode="symmetric")
        found = self.found or [self._moments(self.state, self._recolored(x, content)[None]) for x in self.styles]
        y = self._painted(self.state, seen[None], found, guides)[0, :height, :width]
        if self.color == "luma":
            y = chroma.with_luma(content, jnp.clip(chroma.luma(y), 0, 255))
        return Image.fromarray(quantize(np.asarray(y)))

    def _seen(self, content):
        return np.asarray(chroma.luma(content) * jnp.ones(3)) if self.color == "luma" else content

    def _recolored(self, x, content):
        """A style as the content's colors want it."""
        if self.color == "match":
            return jnp.clip(chroma.match_colors(x, content), 0, 255)
        return chroma.match_luma(x, content) * jnp.ones(3)

    def _guides(self, height, width):
        """How much of each style goes to each place. Shapes: -> [styles, height, width, 1] that sum to one."""
        if not self.masks:
            return np.tile(self.shares[:, None, None, None], (1, height, width, 1)).astype(np.float32)
        masks = [bilinear(mask[None, :, :, None], (height, width))[0] for mask in self.masks]
        guides = np.stack(masks) * self.shares[:, None, None, None] + 1e-6
        return (guides / guides.sum(0)).astype(np.float32)

    @partial(jax.jit, static_argnums=0)
    def _moments(self, state, style):
        return moments(self.task.outputs["features"](state, style))

    @partial(jax.jit, static_argnums=0)
    def _painted(self, state, content, found, guides):
        """Source: arXiv:1703.06868, eqs. 14 and 15: between content and style, and between styles."""
        f = self.task.outputs["features"](state, content)
        guides = bilinear(guides, f.shape[1:3])
        mixed = sum(guide * with_moments(f, *moments) for guide, moments in zip(guides, found, strict=True))
        return self.task.outputs["pixels"](state, (1 - self.alpha) * f + self.alpha * mixed)


def packaged_painter() -> tuple[Task, State]:
    """AdaIN with SqueezeNet and the decoder that is packaged. Raises: InputError if a file of theirs is damaged."""
    task = tasks.build(adain.config(), (256, 128, 3))
    nets = {"decoder": Net(packaged.load(), {}, ()), "encoder": Net(squeezenet.load()["params"], {}, ())}
    return task, State(jnp.int32(0), nets, {}, {})
