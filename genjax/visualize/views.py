"""The views of all runs: reconstructions, filters, latents and images between them."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from genjax.errors import InputError, NotApplicable
from genjax.interpolation import bilinear, lerp, round_trip, slerp, within_class
from genjax.report import activity, filters, interpolation, latents, manifold, reconstructions
from genjax.visualize.view import Animation, Files, view

if TYPE_CHECKING:
    from genjax.run.loaded import Run

IMAGES = 64  # images over their reconstructions
POINTS = 1000  # points over their reconstructions
PAIRS = 6  # rows of interpolations
STEPS = 10  # columns of interpolations
CORNERS = 9  # images along a side of the grid between four
STATIONS = 4  # images that each cell of the animation passes
FRAMES = 12  # from one station to the next
SECONDS = 4.0  # of an animation
PLANE = 20  # images along a side of the plane of latents


@view("reconstructions")
def draw_reconstructions(run: "Run") -> Files:
    """Examples over their reconstructions, with the corrupted ones between them if the task corrupts."""
    from genjax.run.loaded import restored

    run.need("reconstruct")
    x = run.source.read(np.arange(min(run.count, IMAGES if run.are_images else POINTS)))
    yield "reconstructions.png", reconstructions.draw(*restored(run.task, run.state, x))


@view("filters")
def draw_filters(run: "Run") -> Files:
    """Weights of the first layer, one image per unit."""
    if not run.are_images:
        raise NotApplicable("the data are not images, so weights of a layer are none")
    yield "filters.png", filters.draw(first_kernel(run), tuple(run.info["data"]["shape"]))


@view("latents")
def draw_latents(run: "Run") -> Files:
    """Latents on their first two principal components, or unchanged if they have two dimensions."""
    z = _encoded(run)
    if z.shape[1] == 2:
        yield "latents.png", _plot(run, z, "Latents", ("first latent", "second latent"))
        return
    if min(z.shape) < 2:
        raise NotApplicable(f"{len(z)} latents of {z.shape[1]} dimensions have no two principal components")
    points, shares = latents.pca(z)
    axes = [
        f"{rank} component, {share:.0%} of variance" for rank, share in zip(("first", "second"), shares, strict=True)
    ]
    title = f"Latents of {z.shape[1]} dimensions on their principal components"
    yield "latents_pca.png", _plot(run, points, title, axes)


@view("tsne")
def draw_tsne(run: "Run") -> Files:
    """Latents in the plane by t-SNE (needs scikit-learn)."""
    try:
        latents.need_tsne()
    except InputError as error:
        raise NotApplicable(str(error)) from error
    z = _encoded(run)
    if len(z) < 4:
        raise NotApplicable(f"t-SNE needs at least 4 latents; there are {len(z)}")
    yield "latents_tsne.png", _plot(run, latents.tsne(z), f"Latents of {z.shape[1]} dimensions by t-SNE")


@view("interpolation")
def draw_interpolation(run: "Run") -> Files:
    """Straight and spherical paths between latents of examples, or of seeds, as rows and as an animation."""
    decode, stations, originals = _stations(run, 2 * PAIRS)
    if len(stations) < 2:
        raise NotApplicable("it needs two examples")
    stations = stations[: len(stations) // 2 * 2]
    start = stations[0::2]
    end = stations[1::2]
    ends = () if originals is None else (originals[0 : len(stations) : 2], originals[1 : len(stations) : 2])
    for name, path in (("linear", lerp), ("spherical", slerp)):
        path = within_class(path, run.task.classes)
        z = path(start[:, None], end[:, None], np.linspace(0, 1, STEPS))
        yield f"interpolation_{name}.png", interpolation.rows(decode(z), *ends)
        yield f"interpolation_{name}.gif", _animation(decode, stations, path)


@view("interpolation_w")
def draw_interpolation_w(run: "Run") -> Files:
    """Straight paths between w of seeds, for comparison with those between latents; StyleGAN only."""
    from genjax.visualize import styles

    w = styles.w_of(run, 2 * PAIRS)

    def decode(w):
        images = styles.decode(run, w.reshape(-1, w.shape[-1]))
        return images.reshape(*w.shape[:-1], *images.shape[1:])

    z = lerp(w[0::2, None], w[1::2, None], np.linspace(0, 1, STEPS))
    yield "interpolation_w.png", interpolation.rows(decode(z))
    yield "interpolation_w.gif", _animation(decode, w, lerp)


@view("grid")
def draw_grid(run: "Run") -> Files:
    """Images between the latents of four examples, or of four seeds."""
    decode, stations, originals = _stations(run, 4)
    if len(stations) < 4:
        raise NotApplicable("it needs four examples")
    images = decode(bilinear(stations, CORNERS, CORNERS))
    yield "grid.png", interpolation.corners(images, originals)


@view("activity")
def draw_activity(run: "Run") -> Files:
    """Histograms of latents, which show how sparse they are."""
    penalty = run.info["config"].get("penalty") or {}
    yield "activity.png", activity.draw(_encoded(run), penalty.get("target") if penalty.get("name") == "kl" else None)


@view("manifold")
def draw_manifold(run: "Run") -> Files:
    """Images over a plane of latents, for latents of two dimensions; one plane per class."""
    run.need("decode")
    if not run.are_images:
        raise NotApplicable("the data are not images")
    has_prior = "latents" in run.task.outputs
    z, _ = _split_class(run, _latents_of_seeds(run, 1) if has_prior else _vectors(run))
    if z.shape[1] != 2:
        raise NotApplicable(f"latents have {z.shape[1]} dimensions, not 2")
    # A prior is N(0, 1); latents without a prior get the normal distribution of their mean and deviation.
    moments = () if has_prior else (z.mean(0), z.std(0))
    plane = np.float32(manifold.plane(PLANE, *moments).reshape(-1, 2))
    classes = run.task.classes
    labels = np.eye(classes, dtype=np.float32) if classes else np.zeros((1, 0), np.float32)
    for index, label in enumerate(labels):
        images = run.decode(np.concatenate([plane, np.tile(label, (len(plane), 1))], 1))
        name = f"manifold_class_{index}.png" if classes else "manifold.png"
        yield name, manifold.draw(images.reshape(PLANE, PLANE, *images.shape[1:]))


def first_kernel(run: "Run") -> np.ndarray:
    """The kernel of the first layer, outside decoders and generators, whose input has the size of an example.

    If the layer also takes a class, the weights of the pixels alone.
    Raises: NotApplicable if there is none.
    """
    import jax

    *_, channels = shape = tuple(run.info["data"]["shape"])
    size = np.prod(shape)
    classes = run.task.classes
    params = {name: net.params for name, net in run.state.nets.items()}
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        name = jax.tree_util.keystr(path)
        dense = leaf.ndim == 2 and leaf.shape[0] in (size, size + classes)
        convolution = leaf.ndim == 4 and leaf.shape[2] in (channels, channels + classes)
        if "kernel" in name and not ("decoder" in name or "generator" in name) and (dense or convolution):
            return np.asarray(leaf[:size] if dense else leaf[:, :, :channels], np.float32)
    raise NotApplicable("no dense or convolutional layer takes images directly")


def _vectors(run):
    """Latents of the examples as vectors [count, D]. Raises: NotApplicable if they are code indices."""
    z = run.latents
    if z.dtype.kind != "f":
        raise NotApplicable("latents are whole numbers, the indices of codes: nothing lies between them")
    return z.reshape(len(z), -1)


def _split_class(run, z):
    """Latents and the one-hot of their class. Shapes: [..., D + classes] -> [..., D], [..., classes]."""
    return np.split(z, [z.shape[-1] - run.task.classes], -1)


def _encoded(run):
    """Latents of the examples as vectors, without the one-hot of a class. Shapes: [count, D]."""
    return _split_class(run, _vectors(run))[0]


def _latents_of_seeds(run, count):
    import jax

    return jax.device_get(run.task.outputs["latents"](run.state, np.arange(count, dtype=np.int32))).reshape(count, -1)


def _stations(run, count):
    """A decoder of vectors, the latents to interpolate between, and the originals that were encoded to them."""
    run.need("decode")
    if not run.are_images:
        raise NotApplicable("the data are not images")
    if "encode" in run.task.outputs:
        chosen = _various(run, count)
        return partial(_decode, run, run.latents.shape[1:]), _vectors(run)[chosen], run.source.read(chosen)
    run.need("latents")
    z = _latents_of_seeds(run, count)
    return partial(_decode, run, z.shape[1:]), z, None


def _decode(run, shape, z):
    """Images of vectors. Shapes: z [..., D] -> uint8 [..., H, W, C]."""
    images = run.decode(np.asarray(z, np.float32).reshape(-1, *shape))
    return images.reshape(*z.shape[:-1], *images.shape[1:])


def _animation(decode, stations, path):
    """A grid of images, each on a round trip through its own latent and the next ones."""
    trips = (stations[(np.arange(STATIONS) + i) % len(stations)] for i in range(len(stations)))
    z = np.stack([round_trip(trip, FRAMES, path) for trip in trips], 1)
    return Animation(interpolation.frames(decode(z)), SECONDS)


def _various(run, count):
    """Indices of examples whose neighbors differ in class: the first of each class, then the second of each, ..."""
    if run.labels is None:
        return np.arange(min(count, run.count))
    order = np.argsort(run.labels, kind="stable")
    sizes = np.bincount(run.labels)
    rank = np.arange(run.count) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return order[np.lexsort((run.labels[order], rank))][:count]


def _plot(run, points, title, axes_names=("", "")):
    thumbnails = run.examples if run.are_images else None
    return latents.draw(points, run.labels, run.source.label_names, thumbnails, title, axes_names)
