"""Perceptual path length: how abruptly images change along a path between latents. Source: arXiv:1812.04948, 4.1."""

import numpy as np

from genjax.errors import InputError
from genjax.interpolation import PATHS
from genjax.metrics import checks

SAMPLING = ("full", "end")


def perceptual_path_length(
    generate, distance, start, end, *, constant=None, path="slerp", sampling="full", epsilon=1e-4, batch=64, seed=0
):
    """Mean of distance(g(path(t)), g(path(t + epsilon))) / epsilon^2, of those within the 1st to 99th percentile.

    `path` is "slerp" for z and "lerp" for w; `sampling` is "full" (t uniform on [0, 1)) or "end" (t = 0).
    Paper: latents of a normalized space; here: slerp turns directions and interpolates lengths linearly, so that a
    generator without normalization of z gets latents of usual lengths, and one with it gets the same directions.
    `constant` is appended to all latents of a path, such as the one-hot label of a class.
    Shapes: start, end [N, ..., D], constant [N, ..., C] -> float; generate maps float32 [n, ...] to images and must be
    a function of the latents alone (any noise fixed); distance maps two batches of images to squared perceptual
    distances [n].
    Raises: InputError for shapes that differ, unknown names, an epsilon not above 0, or NaN from either function.
    """
    if path not in PATHS or sampling not in SAMPLING:
        raise InputError(
            f"path {path!r}, sampling {sampling!r}: "
            f"expected path {' or '.join(PATHS)}, sampling {' or '.join(SAMPLING)}."
        )
    if not epsilon > 0:
        raise InputError(f"epsilon is {epsilon!r}: expected a small step above 0, such as 1e-4.")
    checks.count("batch", batch)
    start = checks.finite("start", start).astype(np.float64)
    end = checks.finite("end", end).astype(np.float64)
    checks.same_shape("start", start, "end", end)
    checks.table("start", start)
    t = np.random.default_rng(seed).random(len(start)) if sampling == "full" else np.zeros(len(start))
    t = t.reshape(-1, *[1] * (start.ndim - 2))
    before, after = (PATHS[path](start, end, s).astype(np.float32) for s in (t, t + epsilon))
    if constant is not None:
        if np.shape(constant)[:-1] != start.shape[:-1]:
            raise InputError(
                f"constant has shape {np.shape(constant)} for latents {start.shape}: expected one row per latent."
            )
        before, after = (np.concatenate([z, np.float32(constant)], -1) for z in (before, after))
    lengths = []
    for first in range(0, len(start), batch):
        rows = slice(first, first + batch)
        lengths.append(np.asarray(distance(generate(before[rows]), generate(after[rows])), np.float64))
    lengths = checks.finite("distance(...)", np.concatenate(lengths)) / epsilon**2
    if lengths.shape != (len(start),):
        raise InputError(f"distance(...) gave {lengths.shape} for {len(start)} pairs: expected one number per pair.")
    return float(lengths[_within_percentiles(lengths)].mean())


def _within_percentiles(lengths):
    """A mask of the lengths from the 1st to the 99th percentile, both rounded outward to an observed value."""
    low = np.percentile(lengths, 1, method="lower")
    high = np.percentile(lengths, 99, method="higher")
    return (low <= lengths) & (lengths <= high)
