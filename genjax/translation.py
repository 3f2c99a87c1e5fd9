"""Translations of given images, of any size, by a run of genjax.tasks.translation or genjax.tasks.unpaired."""

import os
from pathlib import Path

import jax
import numpy as np

from genjax.data import open_source
from genjax.data.encoded import find_broken
from genjax.data.folder import images_of
from genjax.data.images import AS_STORED, MODES, Form
from genjax.data.listing import list_files
from genjax.data.translation import DERIVATIONS, MASKED, input_channels, masked, repeated
from genjax.errors import InputError
from genjax.files import expand
from genjax.ops.pixels import quantize
from genjax.run.loaded import open_run
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


class Translator:
    """A trained translation, for images of any size.

    What an image is to the net follows from the run's data: of `gray:` and `edges:` its luma; of `small2:`
    to `small8:` a small image, which becomes that many times larger; of `hole:` and `freeform:` an image whose
    transparent pixels are the holes; of others an image with the input's channels.
    """

    def __init__(self, workdir: str | os.PathLike, step: int | str | None = None, to: str | None = None):
        """A run at a step; of an unpaired translation, `to` "b" (the default) makes images of B, "a" the reverse.

        Raises: InputError for a folder without such a run, or a direction that it does not have.
        """
        self._run = open_run(workdir, None, step)
        config = self._run.config
        outputs = self._run.task.outputs
        directions = [name for name, output in DIRECTIONS.items() if output in outputs]
        if not directions and "translate" not in outputs:
            raise InputError(
                f"{workdir}: the task {config.task!r} translates no images: expected a run of docs/translation.md"
            )
        if to and to not in directions:
            expected = " or ".join(directions) if directions else "none, since its pairs have one direction"
            raise InputError(f"--to={to}: {workdir} has no such direction; expected {expected}")
        name = DIRECTIONS[to or directions[0]] if directions else "translate"
        self._kind = config.data.name.partition(":")[0]
        self._channels = config.input_channels or input_channels(config.data.name, self._run.info["data"]["shape"][2])
        self._translate = jax.jit(outputs[name])
        if self._channels not in MODES:
            raise InputError(
                f"{workdir}: its inputs have {self._channels} channels: expected up to 4, as image files have"
            )

    def read(self, path: str | os.PathLike) -> np.ndarray:
        """The input of an image's file. Shapes: -> uint8 [H, W, inputs]. Raises: InputError if it cannot be used."""
        x = open_source(f"image:{path}", form=Form(None, self._channels, "crop")).read(np.arange(1))
        if self._kind in MASKED:
            known = x[..., -1] >= 128
            if known.all():
                raise InputError(f"{path} has no hole: make transparent what is to be filled")
            x = masked(x[..., :-1], known)
        factor = DERIVATIONS[self._kind].factor if self._kind in DERIVATIONS else 1
        return repeated(x, factor)[0]

    def translate(self, x: np.ndarray) -> np.ndarray:
        """A translation. Shapes: uint8 [H, W, inputs] -> uint8 [H, W, C]."""
        return quantize(np.asarray(self._translate(self._run.state, x[None])[0]))
