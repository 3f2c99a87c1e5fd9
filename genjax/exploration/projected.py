"""An image from a file as latents of a generator, found by descent, for a request to start from."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np

from genjax import files
from genjax.exploration.codes import read_image
from genjax.exploration.opened import Opened
from genjax.projection import project
from genjax.run.loaded import Run


def projected(run: Opened, path: Path, step: int | str | None, steps: int, on_progress: Callable[[int], object]) -> str:
    """Latents of an image's file, as `codes` of a request: in w+ of a StyleGAN, in z of others.

    They are written beside the image, and read from there the next time.
    """
    space = "w+" if run.has_styles else "z"
    out = path.with_name(f"{path.stem}_{run.workdir.name}_{space}_step{step}_{steps}.npz")
    if not out.exists():
        target = read_image(run, str(path))[None]
        projection = project(Run(run.task, run.state(step), None, 0, run.info), target, space, steps, 0, on_progress)
        content = io.BytesIO()
        np.savez(content, codes=projection.codes, losses=projection.losses)
        files.write_bytes(out, content.getvalue())
    return f"{out}:0"
