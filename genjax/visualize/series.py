"""The views of runs that make series: where made and real ones lie in a plane."""

from typing import TYPE_CHECKING

import numpy as np

from genjax.errors import InputError, NotApplicable
from genjax.report import latents, points
from genjax.report.series import profiles
from genjax.visualize.view import Files, view

if TYPE_CHECKING:
    from genjax.run.loaded import Run

SERIES = 1000
"""Series of each kind, the first ones, as TimeGAN's authors show them."""


@view("series")
def draw_series(run: "Run") -> Files:
    """Made series over those of the data, on the principal components of the latter."""
    real, made = _profiles(run)
    if min(real.shape) < 2:
        raise NotApplicable(f"{len(real)} series of {real.shape[1]} steps have no two principal components")
    mean, components, _ = latents.principal_components(real)
    yield "series_pca.png", points.draw_projection((made - mean) @ components.T, (real - mean) @ components.T)


@view("series_tsne")
def draw_series_tsne(run: "Run") -> Files:
    """Made series and those of the data in the plane by t-SNE (needs scikit-learn)."""
    try:
        latents.need_tsne()
    except InputError as error:
        raise NotApplicable(str(error)) from error
    real, made = _profiles(run)
    plane = latents.tsne(np.concatenate([real, made]))
    yield "series_tsne.png", points.draw_projection(plane[len(real) :], plane[: len(real)])


def _profiles(run):
    """Series of the data, and as many made ones, as vectors. Shapes: [N, T], [N, T]. Raises: NotApplicable."""
    run.need("sample")
    if len(run.info["data"]["shape"]) != 2:
        raise NotApplicable("the data are no series")
    if run.config.get("vocabulary", 0):
        raise NotApplicable("the data are tokens, which have no order")
    count = min(SERIES, run.trained_on.size)
    return profiles(run.trained_on.read(np.arange(count))), profiles(run.sample(np.arange(count)))
