"""What styles do, in images, of generators that have them.

Source: arXiv:1812.04948, figures 3 (mixing), 4 and 5 (noise) and 8 (truncation); directions in w say theirs.
"""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from genjax.engine.outputs import apply_in_batches
from genjax.ops.pixels import quantize
from genjax.report import interpolation
from genjax.report.figures import grid
from genjax.run.loaded import Run

SOURCES = 5, 3  # columns of the matrix of mixed styles, and rows in each of its three bands
PSI = (1.0, 0.7, 0.5, 0.0, -0.5, -1.0)
SEEDS = 6  # rows of the truncation sweep
NOISES = 6, 64  # images of one w under other noise that are shown, and those that deviations are over
DIRECTIONS, REACH, PLACES = 6, 3.0, 7  # rows; how many standard deviations a strip goes each way, in how many images
DRAWN = 2000  # w that directions are found in


def styles(run: Run) -> Iterator[tuple[str, Any]]:
    """Mixed styles: each image is its row's, but for the coarse, the middle or the fine styles, its column's."""
    columns, band = SOURCES
    ws = every_layer(run, w_of(run, columns + 3 * band))
    top, left = ws[:columns], ws[columns:]
    mixed = np.repeat(left[:, None], columns, 1)
    for row, group in enumerate(np.repeat(groups(ws.shape[1], run.about["data"]["shape"][0]), band, 0)):
        mixed[row][:, group] = top[:, group]
    whole = np.concatenate([left[:, None], mixed], 1)
    images = decoded(run, whole.reshape(-1, *ws.shape[1:])).reshape(*whole.shape[:2], *run.about["data"]["shape"])
    above = np.concatenate([np.full_like(images[0, :1], 255), decoded(run, top)])
    yield "styles.png", grid(np.concatenate([above[None], images]).reshape(-1, *images.shape[2:]), columns + 1)


def truncation(run: Run) -> Iterator[tuple[str, Any]]:
    """Seeds over psi, how far their w is from the average: 1 as it is, 0 the average, negative the opposite."""
    w = w_of(run, SEEDS)
    columns = [apply_in_batches(run.task.outputs["synthesize"], run.state, w, truncation=psi) for psi in PSI]
    images = quantize(np.stack(columns, 1))
    yield "truncation.png", grid(images.reshape(-1, *images.shape[2:]), len(PSI))


def noise(run: Run) -> Iterator[tuple[str, Any]]:
    """A row a seed: some images of it under other noise, then how much each pixel deviates (white: most of all)."""
    synthesize = jax.jit(lambda state, ws, key: run.task.outputs["synthesize"](state, ws, noise=key))
    shown, count = NOISES
    rows = []
    for w in w_of(run, SOURCES[1]):
        images = np.asarray(synthesize(run.state, jnp.repeat(w[None], count, 0), jax.random.key(0)))
        rows.append([*quantize(images[:shown]), images.std(0)])
    most = max(0.5, *(deviation.max() for *_, deviation in rows))  # of half a level nobody sees anything
    cells = [x for row in rows for x in (*row[:-1], quantize(255 * row[-1] / most))]
    yield "noise.png", grid(np.stack(cells), shown + 1)


def directions(run: Run) -> Iterator[tuple[str, Any]]:
    """Strips through the average w: along w's principal components, and along what the styles answer to most.

    Source: arXiv:2004.02546, section 2.2 (components); arXiv:2007.06600, eq. 5 (eigenvectors of the affine maps).
    """
    w = np.float64(w_of(run, DRAWN))
    mean = w.mean(0)
    _, sizes, components = np.linalg.svd(w - mean, full_matrices=False)
    yield "directions_pca.png", _strips(run, mean, components, sizes / len(w) ** 0.5)
    maps = np.concatenate([np.float64(a) for a in affine_maps(run)], 1)  # [width, all styles]
    answers, vectors = np.linalg.eigh(maps @ maps.T)
    found = vectors.T[np.argsort(-answers)]
    yield "directions_sefa.png", _strips(run, mean, found, ((w - mean) @ found.T).std(0))


def _strips(run, mean, vectors, sizes):
    """A row for each of the first directions, from minus to plus REACH standard deviations along it."""
    way = np.linspace(-REACH, REACH, PLACES)[:, None]
    count = min(DIRECTIONS, len(vectors))
    w = np.stack([mean + way * size * vector for vector, size in zip(vectors[:count], sizes[:count], strict=True)])
    images = decoded(run, np.float32(w).reshape(-1, w.shape[2]))
    return interpolation.rows(images.reshape(*w.shape[:2], *images.shape[1:]))


def w_of(run: Run, count: int) -> np.ndarray:
    """w of the seeds 0, 1, 2, ... Shapes: -> [count, width]."""
    run.need("map", "synthesize")
    z = apply_in_batches(run.task.outputs["latents"], run.state, np.arange(count, dtype=np.int32))
    return apply_in_batches(run.task.outputs["map"], run.state, z)


def every_layer(run: Run, w: np.ndarray) -> np.ndarray:
    """One w for all layers. Shapes: [N, width] -> [N, layers, width]."""
    stages = int(np.log2(run.about["data"]["shape"][0])) - 1
    return np.repeat(w[:, None], 2 * stages, 1)


def groups(layers: int, side: int) -> np.ndarray:
    """Which layers are coarse, middle and fine: up to 8, up to 32 and beyond. Of less than 64 pixels: thirds.

    Shapes: -> bool [3, layers].
    """
    cuts = (4, 8) if side > 32 else (round(layers / 3), round(2 * layers / 3))
    return np.array(
        [[bool(low <= i < high) for i in range(layers)] for low, high in ((0, cuts[0]), cuts, (cuts[1], layers))]
    )


def affine_maps(run: Run) -> Iterator[np.ndarray]:
    """The matrices from w to each layer's style. Shapes: [width, styles] each."""
    variables = run.state.ema.get("generator") or run.state.nets["generator"].variables
    for path, leaf in jax.tree_util.tree_leaves_with_path(variables["params"]):
        name = jax.tree_util.keystr(path)
        if "'style'" in name and "kernel" in name and "to_rgb" not in name:
            yield np.asarray(leaf)


def decoded(run: Run, ws: np.ndarray) -> np.ndarray:
    """Images of styles. Shapes: [N, width] or [N, layers, width] -> uint8 [N, H, W, C]."""
    return quantize(apply_in_batches(run.task.outputs["synthesize"], run.state, np.asarray(ws, np.float32)))
