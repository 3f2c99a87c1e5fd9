"""The views of StyleGANs: mixed styles, truncation, noise and directions in w.

Source: arXiv:1812.04948, figures 3 (mixing), 4 and 5 (noise) and 8 (truncation); each view of directions has its own.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from genjax.report import interpolation
from genjax.report.figures import grid
from genjax.visualize.view import Files, view

if TYPE_CHECKING:
    from genjax.run.loaded import Run

COLUMNS = 5  # of the matrix of mixed styles
BAND = 3  # rows of the matrix per group of layers
PSI = (1.0, 0.7, 0.5, 0.0, -0.5, -1.0)
SEEDS = 6  # rows of the truncation sweep
NOISE_ROWS = 3
NOISE_SHOWN = 6  # images of one w with different noise that are shown
NOISE_COUNT = 64  # and that the standard deviation is computed over
DIRECTIONS = 6  # rows of a view of directions
REACH = 3.0  # standard deviations that a row extends both ways
PLACES = 7  # images per row
DRAWN = 2000  # w from which directions are computed


@view("styles")
def draw_styles(run: "Run") -> Files:
    """Mixed styles: the image of the row with the coarse, middle or fine styles of the column; StyleGAN only."""
    shape = run.info["data"]["shape"]
    ws = every_layer(run, w_of(run, COLUMNS + 3 * BAND))
    top = ws[:COLUMNS]
    left = ws[COLUMNS:]
    mixed = np.repeat(left[:, None], COLUMNS, 1)
    for row, group in enumerate(np.repeat(groups(ws.shape[1]), BAND, 0)):
        mixed[row][:, group] = top[:, group]
    rows = np.concatenate([left[:, None], mixed], 1)
    images = decode(run, rows.reshape(-1, *ws.shape[1:])).reshape(*rows.shape[:2], *shape)
    header = np.concatenate([np.full_like(images[0, :1], 255), decode(run, top)])
    yield "styles.png", grid(np.concatenate([header[None], images]).reshape(-1, *shape), COLUMNS + 1)


@view("truncation")
def draw_truncation(run: "Run") -> Files:
    """Images of seeds over psi, the distance of w from its average (1: unchanged, 0: the average); StyleGAN only."""
    from genjax.engine.outputs import apply_in_batches
    from genjax.ops.pixels import quantize

    w = w_of(run, SEEDS)
    columns = [apply_in_batches(run.task.outputs["synthesize"], run.state, w, truncation=psi) for psi in PSI]
    images = quantize(np.stack(columns, 1))
    yield "truncation.png", grid(images.reshape(-1, *images.shape[2:]), len(PSI))


@view("noise")
def draw_noise(run: "Run") -> Files:
    """One w per row with different noise, then the deviation of each pixel (white: the largest); StyleGAN only."""
    import jax
    import jax.numpy as jnp

    from genjax.ops.pixels import quantize

    synthesize = jax.jit(lambda state, ws, key: run.task.outputs["synthesize"](state, ws, noise=key))
    rows = []
    for w in w_of(run, NOISE_ROWS):
        images = np.asarray(synthesize(run.state, jnp.repeat(w[None], NOISE_COUNT, 0), jax.random.key(0)))
        rows.append([*quantize(images[:NOISE_SHOWN]), images.std(0)])
    largest = max(0.5, *(deviation.max() for *_, deviation in rows))  # half a gray level would not be visible
    cells = [x for row in rows for x in (*row[:-1], quantize(255 * row[-1] / largest))]
    yield "noise.png", grid(np.stack(cells), NOISE_SHOWN + 1)


@view("directions")
def draw_directions(run: "Run") -> Files:
    """Images along directions in w: principal components, and those that change the styles most; StyleGAN only.

    Source: arXiv:2004.02546, section 2.2 (components); arXiv:2007.06600, eq. 5 (eigenvectors of the affine maps).
    """
    w = np.float64(w_of(run, DRAWN))
    mean = w.mean(0)
    _, sizes, components = np.linalg.svd(w - mean, full_matrices=False)
    yield "directions_pca.png", _strips(run, mean, components, sizes / len(w) ** 0.5)
    maps = np.concatenate([np.float64(a) for a in affine_maps(run)], 1)  # [width, all styles]
    eigenvalues, eigenvectors = np.linalg.eigh(maps @ maps.T)
    directions = eigenvectors.T[np.argsort(-eigenvalues)]
    yield "directions_sefa.png", _strips(run, mean, directions, ((w - mean) @ directions.T).std(0))


def _strips(run, mean, directions, stds):
    """One row per direction, the first ones, from -REACH to REACH standard deviations along it."""
    steps = np.linspace(-REACH, REACH, PLACES)[:, None]
    pairs = zip(directions[:DIRECTIONS], stds[:DIRECTIONS], strict=True)
    w = np.stack([mean + steps * std * direction for direction, std in pairs])
    images = decode(run, np.float32(w).reshape(-1, w.shape[2]))
    return interpolation.rows(images.reshape(*w.shape[:2], *images.shape[1:]))


def w_of(run: "Run", count: int) -> np.ndarray:
    """w of the seeds 0, 1, 2, ... Shapes: -> [count, width]."""
    from genjax.engine.outputs import apply_in_batches

    run.need("map", "synthesize")
    z = apply_in_batches(run.task.outputs["latents"], run.state, np.arange(count, dtype=np.int32))
    return apply_in_batches(run.task.outputs["map"], run.state, z)


def every_layer(run: "Run", w: np.ndarray) -> np.ndarray:
    """The same w for all layers. Shapes: [N, width] -> [N, layers, width]."""
    return np.repeat(w[:, None], run.task.layers, 1)


def groups(layers: int) -> np.ndarray:
    """Masks of the coarse, middle and fine layers: up to 8 pixels, up to 32, and above; thirds of up to 8 layers.

    Shapes: -> bool [3, layers].
    """
    cuts = (4, 8) if layers > 8 else (round(layers / 3), round(2 * layers / 3))
    bounds = ((0, cuts[0]), cuts, (cuts[1], layers))
    return np.array([[low <= i < high for i in range(layers)] for low, high in bounds])


def affine_maps(run: "Run") -> Iterator[np.ndarray]:
    """The matrices from w to the style of each layer. Shapes: [width, styles] each."""
    import jax

    variables = run.state.ema.get("generator") or run.state.nets["generator"].variables
    for path, leaf in jax.tree_util.tree_leaves_with_path(variables["params"]):
        name = jax.tree_util.keystr(path)
        if "'style'" in name and "kernel" in name and "to_rgb" not in name:
            yield np.asarray(leaf)


def decode(run: "Run", ws: np.ndarray) -> np.ndarray:
    """Images of styles. Shapes: [N, width] or [N, layers, width] -> uint8 [N, H, W, C]."""
    from genjax.engine.outputs import apply_in_batches
    from genjax.ops.pixels import quantize

    return quantize(apply_in_batches(run.task.outputs["synthesize"], run.state, np.asarray(ws, np.float32)))
