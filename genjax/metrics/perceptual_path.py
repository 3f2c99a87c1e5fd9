"""Perceptual path length: how abruptly images change along a path between latents. Source: arXiv:1812.04948, 4.1."""

import numpy as np

from genjax.errors import InputError
from genjax.metrics import checks


def perceptual_path_length(
    generate, distance, start, end, *, given=None, path="slerp", sampling="full", epsilon=1e-4, batch=64, seed=0
):
    """Mean of distance(g(path(t)), g(path(t + epsilon))) / epsilon^2, of those within the 1st to 99th percentile.

    `path` is "slerp" for z and "lerp" for w; `sampling` is "full" (t uniform on [0, 1)) or "end" (t = 0).
    Paper: latents of a normalized space; here: slerp turns directions and interpolates lengths linearly, so that a
    generator that does not normalize z gets lengths it knows, and one that does sees no difference.
    `given` is what stays the same along a path, as the one-hot of a class: `generate` sees it behind the latents.
    Shapes: start, end [N, ..., D], given [N, ..., C] -> float; generate maps float32 [n, ...] to images and must be a
    function of the latents alone (any noise fixed); distance maps two batches of images to a squared perceptual
    distance [n].
    Raises: InputError for shapes that differ, unknown names, an epsilon not above 0, or NaN from either function.
    """
    if path not in PATHS or sampling not in ("full", "end"):
        raise InputError(f"path {path!r}, sampling {sampling!r}: expected {' or '.join(PATHS)}, and full or end.")
    if not epsilon > 0:
        raise InputError(f"epsilon is {epsilon!r}: expected a small step above 0, as 1e-4.")
    checks.count("batch", batch)
    start, end = (checks.finite(name, z).astype(np.float64) for name, z in (("start", start), ("end", end)))
    checks.same_shape("start", start, "end", end)
    checks.table("start", start)
    t = np.random.default_rng(seed).random(len(start)) if sampling == "full" else np.zeros(len(start))
    t = t.reshape(-1, *[1] * (start.ndim - 1))
    here, there = (PATHS[path](start, end, s).astype(np.float32) for s in (t, t + epsilon))
    if given is not None:
        if np.shape(given)[:-1] != start.shape[:-1]:
            raise InputError(f"given is {np.shape(given)} for latents {start.shape}: expected a row for each of them.")
        here, there = (np.concatenate([z, np.float32(given)], -1) for z in (here, there))
    lengths = []
    for first in range(0, len(start), batch):
        rows = slice(first, first + batch)
        lengths.append(np.asarray(distance(generate(here[rows]), generate(there[rows])), np.float64))
    lengths = checks.finite("distance(...)", np.concatenate(lengths)) / epsilon**2
    if lengths.shape != (len(start),):
        raise InputError(f"distance(...) gave {lengths.shape} for {len(start)} pairs: expected one number a pair.")
    return float(lengths[_within(lengths)].mean())


def lerp(start, end, t):
    """The straight path. Shapes: [N, ...], [N, ...], t [N, 1, ...] -> [N, ...]."""
    return start + t * (end - start)


def slerp(start, end, t):
    """The great circle's path at constant angular speed, from the length of one end to that of the other.

    Between ends of one direction, or of opposite ones, the direction stays `start`'s.
    Shapes: [N, D], [N, D], t [N, 1] -> [N, D].
    """
    lengths = [np.linalg.norm(z, axis=-1, keepdims=True) for z in (start, end)]
    first, last = (z / np.maximum(length, 1e-300) for z, length in zip((start, end), lengths, strict=True))
    cosine = np.sum(first * last, -1, keepdims=True)
    aside = last - cosine * first
    sine = np.linalg.norm(aside, axis=-1, keepdims=True)
    angle = t * np.arctan2(sine, cosine)
    turned = np.cos(angle) * first + np.sin(angle) * aside / np.maximum(sine, 1e-300)
    return lerp(*lengths, t) * np.where(sine > 1e-12, turned, first)


PATHS = {"slerp": slerp, "lerp": lerp}


def _within(lengths):
    """Those from the 1st to the 99th percentile, both taken as the observed value outward."""
    low, high = np.percentile(lengths, 1, method="lower"), np.percentile(lengths, 99, method="higher")
    return (low <= lengths) & (lengths <= high)
