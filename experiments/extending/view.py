"""A view for genjax.show: how the generator folds its space of latents."""

import numpy as np

from genjax.engine.outputs import apply_in_batches
from genjax.report import points
from genjax.visualize.view import Files, view

SIDE = 40


@view("latent_plane")
def latent_plane(run) -> Files:
    """Images of a square lattice in the plane of the first two latents, as points."""
    run.need("latents", "decode")
    lattice = np.stack(np.meshgrid(*[np.linspace(-2, 2, SIDE)] * 2), -1).reshape(-1, 2)
    latent = run.task.outputs["latents"](run.state, np.zeros(1, np.int32)).shape[1]
    z = np.pad(lattice, ((0, 0), (0, latent - 2))).astype(np.float32)
    yield "latent_plane.png", points.draw(apply_in_batches(run.task.outputs["decode"], run.state, z))
