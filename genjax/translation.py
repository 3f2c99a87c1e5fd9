"""Translations of given images, of any size, by a run of genjax.tasks.translation or genjax.tasks.unpaired."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import jax
import numpy as np

from genjax.config import construct
from genjax.data import open_source
from genjax.data.encoded import find_broken
from genjax.data.folder import images_of
from genjax.data.images import AS_STORED, MODES, Form
from genjax.data.listing import list_files
from genjax.data.translation import DERIVATIONS, MASKED, input_channels, masked, repeated
from genjax.engine.outputs import apply_in_batches
from genjax.errors import InputError
from genjax.files import expand
from genjax.ops.lab import gray_of
from genjax.ops.pixels import quantize
from genjax.run.loaded import Run, open_run
from genjax.tasks.translating import GENERATORS
from genjax.text import listed


def images_below(path: str | os.PathLike) -> tuple[list[str], str]:
    """Names of all images below a folder, sorted, and a note on its other files ("" if there are none).

    Raises: InputError if there is no image, or some are broken.
    """
    listing = list_files(Path(expand(str(path))))
    images = images_of(listing)
    broken = [f"{images.name(index)} ({reason})" for index, reason in find_broken(images, AS_STORED).items()]
    if broken:
        raise InputError(f"broken images: {listed(broken, 20)}; replace or remove them")
    return listing.images, listing.account(images.count)


DIRECTIONS = {"b": "to_b", "a": "to_a"}
"""Direction of an unpaired translation -> output."""


def output_of(outputs: Mapping[str, Callable], to: str | None, run: str) -> str:
    """The output of a task that translates; of an unpaired one toward `to`, "b" (the default) or "a".

    Raises: InputError, naming the run, if there is none.
    """
    directions = [name for name, output in DIRECTIONS.items() if output in outputs]
    if not directions and "translate" not in outputs:
        raise InputError(f"{run}: its task translates no images: expected a run of docs/translation.md")
    if to and to not in directions:
        expected = " or ".join(directions) if directions else "none, since its pairs have one direction"
        raise InputError(f"to={to}: {run} has no such direction; expected {expected}")
    return DIRECTIONS[to or directions[0]] if directions else "translate"


def translate_images(run: Run, x: np.ndarray, to: str | None, name: str) -> np.ndarray:
    """Translations of images as arrays, as those of files are made; of pairs, those of their inputs.

    `name`: the run's, for messages. Shapes: uint8 [N, H, W, inputs], or pairs [N, H, W, inputs + C] -> [N, H, W, C].
    Raises: InputError for another task, direction or form of images.
    """
    output = run.task.outputs[output_of(run.task.outputs, to, name)]
    x, allowed = np.asarray(x), (inputs_of(run), run.info["data"]["shape"][2])
    if x.ndim != 4 or x.dtype != np.uint8 or not len(x) or x.shape[3] not in allowed:
        raise InputError(
            f"x is {x.dtype} {list(x.shape)}: expected uint8 [N, H, W, C], N of 1 or more, C "
            f"{allowed[0]}, as the inputs of {name} have, or {allowed[1]}, as its pairs"
        )
    return quantize(apply_in_batches(output, run.state, x))


def inputs_of(run: Run) -> int:
    """The channels of a translation's inputs."""
    return run.config.input_channels or input_channels(run.config.data.name, run.info["data"]["shape"][2])


class Translator:
    """A trained translation, for images of any size.

    What an image is to the net follows from the run's data: of `gray:` and `edges:` its luma; of `lab:` the gray of its
    lightness; of `small2:` to `small8:` a small image, which becomes that many times larger; of `hole:` and `freeform:`
    an image whose transparent pixels are the holes; of others an image with the input's channels.
    """

    def __init__(
        self,
        workdir: str | os.PathLike,
        step: int | str | None = None,
        to: str | None = None,
        tile: int = 0,
        overlap: int = 0,
    ):
        """A run at a step; of an unpaired translation, `to` "b" (the default) makes images of B, "a" the reverse.

        With `tile`, images are translated in squares of as many pixels, which overlap (see `tiled`).
        Raises: InputError for a folder without such a run, a direction that it does not have, or tiles that do not fit.
        """
        self._run = open_run(workdir, None, step)
        config = self._run.config
        name = output_of(self._run.task.outputs, to, str(workdir))
        self._kind = config.data.name.partition(":")[0]
        self._channels = inputs_of(self._run)
        self._translate = jax.jit(self._run.task.outputs[name])
        self._multiple = construct(GENERATORS, config.generator, "generator", colors=1).multiple
        self._tile, self._overlap = tile, overlap
        _check_tiles(tile, overlap, self._multiple)
        if self._channels not in MODES:
            raise InputError(
                f"{workdir}: its inputs have {self._channels} channels: expected up to 4, as image files have"
            )

    def read(self, path: str | os.PathLike, size: tuple[int, int] | None = None) -> np.ndarray:
        """The input of an image's file, brought to a size (height, width) if one is given.

        Shapes: -> uint8 [H, W, inputs]. Raises: InputError if it cannot be used.
        """
        channels = 3 if self._kind == "lab" else self._channels
        x = open_source(f"image:{path}", form=Form(size, channels, "crop")).read(np.arange(1))
        x = gray_of(x) if self._kind == "lab" else x
        if self._kind in MASKED:
            known = x[..., -1] >= 128
            if known.all():
                raise InputError(f"{path} has no hole: make transparent what is to be filled")
            x = masked(x[..., :-1], known)
        return repeated(x, self.factor)[0]

    @property
    def factor(self) -> int:
        """Ratio of the sides of an input and of its file's image."""
        return DERIVATIONS[self._kind].factor if self._kind in DERIVATIONS else 1

    def translate(self, x: np.ndarray) -> np.ndarray:
        """A translation. Shapes: uint8 [H, W, inputs] -> uint8 [H, W, C]."""
        if not self._tile:
            return quantize(self._whole(x))
        height, width = x.shape[:2]
        x = np.pad(x, [(0, -height % self._multiple), (0, -width % self._multiple), (0, 0)], "symmetric")
        return quantize(tiled(self._whole, x, self._tile, self._overlap)[:height, :width])

    def _whole(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self._translate(self._run.state, x[None])[0])


def tiled(translate: Callable, x: np.ndarray, tile: int, overlap: int) -> np.ndarray:
    """The translation of an image in tiles, whose outputs fade into each other over `overlap` pixels.

    A pixel outside all overlaps has the value of the whole image's translation, if the net's receptive field reaches at
    most `overlap` pixels to each side and the net takes no moments of the whole image, as instance normalization does.
    Shapes: x [H, W, C], of sides that the net can halve as often as a tile's -> float32 [H, W, C'].
    """
    places = [_starts(side, tile, overlap) for side in x.shape[:2]]
    total = weights = np.float64(0)
    for top in places[0]:
        for left in places[1]:
            part = x[top : top + tile, left : left + tile]
            y = translate(part)
            rows, columns = (
                _fade(length, start, side, overlap)
                for length, start, side in zip(part.shape[:2], (top, left), x.shape[:2], strict=True)
            )
            weight = rows[:, None, None] * columns[:, None]
            around = [(top, x.shape[0] - top - len(y)), (left, x.shape[1] - left - y.shape[1]), (0, 0)]
            total = total + np.pad(weight * y, around)
            weights = weights + np.pad(weight, around)
    return np.float32(total / weights)


def _starts(side: int, tile: int, overlap: int) -> list[int]:
    """The first pixels of tiles along a side; the last tile ends with the side, and may overlap more."""
    return [*range(0, max(side - tile, 0), tile - overlap), max(side - tile, 0)]


def _fade(length: int, start: int, side: int, overlap: int) -> np.ndarray:
    """Weights of a tile's pixels along a side: they fall toward borders that are not the image's own."""
    pixel = np.arange(length) + 0.5
    rises = np.minimum(pixel / overlap, 1) if overlap and start else np.ones(length)
    falls = np.minimum(pixel[::-1] / overlap, 1) if overlap and start + length < side else np.ones(length)
    return rises * falls


def _check_tiles(tile: int, overlap: int, multiple: int) -> None:
    """Raises: InputError for tiles that the net cannot take, or that would not lie on its grid."""
    if not tile and not overlap:
        return
    if tile < multiple or tile % multiple or overlap % multiple or not 0 <= overlap <= tile // 2:
        nearest = max(1, round(tile / 4 / multiple)) * multiple
        raise InputError(
            f"--tile={tile} --overlap={overlap}: expected multiples of {multiple}, to which the net halves an image, "
            f"with an overlap of at most half a tile, such as --tile={4 * nearest} --overlap={nearest}"
        )
