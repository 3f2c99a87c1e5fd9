"""The images of a run by name: each a function of the run that gives files' names and what is in them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import numpy as np

from genjax.errors import InputError, NotApplicable
from genjax.interpolation import bilinear, lerp, round_trip, slerp
from genjax.report import activity, filters, interpolation, latents, manifold, reconstructions
from genjax.run.loaded import Run, restored
from genjax.visualize import styles

IMAGES, POINTS = 64, 1000  # originals over reconstructions
PAIRS, STEPS = 6, 10  # rows of interpolations and their columns
CORNERS = 9  # images along a side of the grid between four
STATIONS, MOMENTS = 4, 12  # images that a place of the GIF goes round, and frames from one to the next
PLANE = 20  # images along a side of the plane of latents


@dataclass(frozen=True)
class Animation:
    """Frames of a GIF, as files in memory, and for how long they are shown."""

    frames: list
    seconds: float


View = Iterator[tuple[str, Any]]
"""Names of files with an image, or an `Animation`."""


def reconstructions_(run: Run) -> View:
    """Originals over reconstructions, or over what is corrupted over what is restored."""
    run.need("reconstruct")
    x = run.source.read(np.arange(min(run.count, IMAGES if run.are_images else POINTS)))
    yield "reconstructions.png", reconstructions.draw(*restored(run.task, run.state, x))


def filters_(run: Run) -> View:
    """What each unit of the first layer looks for."""
    if not run.are_images:
        raise NotApplicable("the data are points: a layer's weights are no images")
    yield "filters.png", filters.draw(first_kernel(run), tuple(run.about["data"]["shape"]))


def latents_(run: Run) -> View:
    """Latents on their first two principal components; as they are, if they have two dimensions."""
    z = _found(run)
    if z.shape[1] == 2:
        yield "latents.png", _plane_of(run, z, "Latents", ("first latent", "second latent"))
        return
    if min(z.shape) < 2:
        raise NotApplicable(f"{len(z)} latents of {z.shape[1]} dimensions have no two principal components")
    points, shares = latents.pca(z)
    names = [
        f"{which} component, {share:.0%} of variance" for which, share in zip(("first", "second"), shares, strict=True)
    ]
    title = f"Latents of {z.shape[1]} dimensions on their principal components"
    yield "latents_pca.png", _plane_of(run, points, title, names)


def tsne(run: Run) -> View:
    """Latents by t-SNE."""
    try:
        latents.need_tsne()
    except InputError as error:
        raise NotApplicable(str(error)) from error
    z = _found(run)
    if len(z) < 4:
        raise NotApplicable(f"t-SNE needs at least 4 latents; there are {len(z)}")
    title = f"Latents of {z.shape[1]} dimensions by t-SNE"
    yield "latents_tsne.png", _plane_of(run, latents.tsne(z), title)


def interpolation_(run: Run) -> View:
    """Straight and spherical ways between latents of examples, or latents of seeds: as rows, and as they go."""
    decode, stations, originals = _stations(run, 2 * PAIRS)
    if len(stations) < 2:
        raise NotApplicable("it needs two examples")
    stations = stations[: len(stations) // 2 * 2]
    start, end = stations[0::2], stations[1::2]
    ends = () if originals is None else (originals[0 : len(stations) : 2], originals[1 : len(stations) : 2])
    for name, path in (("linear", lerp), ("spherical", slerp)):
        way = partial(_way, run, path)
        z = way(start[:, None], end[:, None], np.linspace(0, 1, STEPS))
        yield f"interpolation_{name}.png", interpolation.rows(decode(z), *ends)
        rounds = (stations[(np.arange(STATIONS) + i) % len(stations)] for i in range(len(stations)))
        places = np.stack([round_trip(trip, MOMENTS, way) for trip in rounds], 1)
        yield f"interpolation_{name}.gif", Animation(interpolation.frames(decode(places)), 4.0)


def interpolation_w(run: Run) -> View:
    """Straight ways between w of seeds, to set beside those between their latents: as rows, and as they go."""
    w = styles.w_of(run, 2 * PAIRS)
    z = lerp(w[0::2, None], w[1::2, None], np.linspace(0, 1, STEPS))
    yield "interpolation_w.png", interpolation.rows(_of_styles(run, z))
    rounds = (w[(np.arange(STATIONS) + i) % len(w)] for i in range(len(w)))
    places = np.stack([round_trip(trip, MOMENTS) for trip in rounds], 1)
    yield "interpolation_w.gif", Animation(interpolation.frames(_of_styles(run, places)), 4.0)


def grid(run: Run) -> View:
    """What lies between four examples, or four seeds."""
    decode, stations, originals = _stations(run, 4)
    if len(stations) < 4:
        raise NotApplicable("it needs four examples")
    images = decode(bilinear(stations, CORNERS, CORNERS))
    yield "grid.png", interpolation.corners(images, originals)


def activity_(run: Run) -> View:
    """How active latents are."""
    penalty = run.about["config"].get("penalty") or {}
    yield "activity.png", activity.draw(_found(run), penalty.get("target") if penalty.get("name") == "kl" else None)


def manifold_(run: Run) -> View:
    """What is decoded over a plane of latents, for those of two dimensions; a plane for each class that they have."""
    run.need("decode")
    if not run.are_images:
        raise NotApplicable("the data are points: what is decoded is no image")
    z = _parted(run, _latents(run, 1) if "latents" in run.task.outputs else _vectors(run))[0]
    if z.shape[1] != 2:
        raise NotApplicable(f"latents have {z.shape[1]} dimensions, not 2")
    # A prior is N(0, 1); latents without one get the normal distribution that has their moments.
    distribution = () if "latents" in run.task.outputs else (z.mean(0), z.std(0))
    plane = np.float32(manifold.plane(PLANE, *distribution).reshape(-1, 2))
    classes = run.task.classes
    given = np.eye(classes, dtype=np.float32) if classes else np.zeros((1, 0), np.float32)
    for label, one_hot in enumerate(given):
        images = run.decode(np.concatenate([plane, np.tile(one_hot, (len(plane), 1))], 1))
        name = f"manifold_class_{label}.png" if classes else "manifold.png"
        yield name, manifold.draw(images.reshape(PLANE, PLANE, *images.shape[1:]))


VIEWS: dict[str, Callable[[Run], View]] = {
    "reconstructions": reconstructions_,
    "filters": filters_,
    "latents": latents_,
    "tsne": tsne,
    "interpolation": interpolation_,
    "interpolation_w": interpolation_w,
    "grid": grid,
    "activity": activity_,
    "manifold": manifold_,
    "styles": styles.styles,
    "truncation": styles.truncation,
    "noise": styles.noise,
    "directions": styles.directions,
}


def first_kernel(run: Run) -> np.ndarray:
    """The kernel of the layer that sees examples: the first one of their size that does not belong to what makes them.

    Of a layer that sees a class beside the pixels, what is of the pixels.
    Raises: NotApplicable if there is none.
    """
    *_, channels = shape = tuple(run.about["data"]["shape"])
    size, classes = np.prod(shape), run.task.classes
    params = {name: net.params for name, net in run.state.nets.items()}
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        name = jax.tree_util.keystr(path)
        dense = leaf.ndim == 2 and leaf.shape[0] == size + classes
        convolution = leaf.ndim == 4 and leaf.shape[2] == channels + classes
        if "kernel" in name and not ("decoder" in name or "generator" in name) and (dense or convolution):
            return np.asarray(leaf[:size] if dense else leaf[:, :, :channels], np.float32)
    raise NotApplicable("no dense or convolutional layer sees images as they are")


def _vectors(run):
    """Latents as vectors [count, D]. Raises: NotApplicable if they are names of something, not numbers."""
    z = run.latents
    if z.dtype.kind != "f":
        raise NotApplicable(
            "latents are whole numbers, each the name of a code: they have no size and nothing between them"
        )
    return z.reshape(len(z), -1)


def _parted(run, z):
    """Vectors without their class, and its one-hots. Shapes: [..., D + classes] -> [..., D], [..., classes]."""
    return np.split(z, [z.shape[-1] - run.task.classes], -1)


def _found(run):
    """What the encoder finds in examples: latents as vectors, without a class that is given. Shapes: [count, D]."""
    return _parted(run, _vectors(run))[0]


def _way(run, way, start, end, t):
    """A way between vectors on which classes go over straight: their shares have the sum 1 all along."""
    (one, its_class), (other, other_class) = _parted(run, start), _parted(run, end)
    return np.concatenate([way(one, other, t), lerp(its_class, other_class, t)], -1)


def _latents(run, count):
    return jax.device_get(run.task.outputs["latents"](run.state, np.arange(count, dtype=np.int32))).reshape(count, -1)


def _stations(run, count):
    """Vectors between which there are ways, how to decode them, and the originals that they are latents of."""
    run.need("decode")
    if not run.are_images:
        raise NotApplicable("the data are points: what is decoded is no image")
    if "encode" in run.task.outputs:
        z, chosen = _vectors(run), _various(run, count)
        return partial(_decoded, run, run.latents.shape[1:]), z[chosen], run.source.read(chosen)
    run.need("latents")
    z = _latents(run, count)
    return partial(_decoded, run, z.shape[1:]), z, None


def _decoded(run, shape, z):
    """Images of vectors. Shapes: z [..., D] -> uint8 [..., H, W, C]."""
    images = run.decode(np.asarray(z, np.float32).reshape(-1, *shape))
    return images.reshape(*z.shape[:-1], *images.shape[1:])


def _of_styles(run, w):
    """Images of w. Shapes: w [..., width] -> uint8 [..., H, W, C]."""
    images = styles.decoded(run, w.reshape(-1, w.shape[-1]))
    return images.reshape(*w.shape[:-1], *images.shape[1:])


def _various(run, count):
    """Indices of examples whose neighbors differ in class: the first of each class, then the second of each, ..."""
    if run.labels is None:
        return np.arange(min(count, run.count))
    order = np.argsort(run.labels, kind="stable")
    sizes = np.bincount(run.labels)
    rank = np.arange(run.count) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return order[np.lexsort((run.labels[order], rank))][:count]


def _plane_of(run, points, title, axes_names=("", "")):
    thumbnails = run.examples if run.are_images else None
    return latents.draw(points, run.labels, run.source.label_names, thumbnails, title, axes_names)
