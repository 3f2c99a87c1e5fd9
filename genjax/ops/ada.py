"""Adaptive discriminator augmentation: random changes of the critic's inputs, the more often the more it overfits.

Source: arXiv:2006.06676, section 2.2, figure 2 and appendix B: the transformations called "bgc" there, of pixels
("blitting"), geometry and color, with their strengths, and further ones: filtering, noise, cutout; section 3: the
control of their probability.
"""

from functools import partial, reduce

import jax
import jax.numpy as jnp

from genjax.errors import InputError
from genjax.ops import affine, bands, color, noise
from genjax.ops.one_by_one import one_by_one

_multiply = partial(jnp.matmul, precision="highest")

PARTS = {
    "blit": ("blit",),
    "geom": ("geom",),
    "color": ("color",),
    "filter": ("filter",),
    "noise": ("noise",),
    "cutout": ("cutout",),
    "b": ("blit",),
    "bg": ("blit", "geom"),
    "bgc": ("blit", "geom", "color"),
    "bgcf": ("blit", "geom", "color", "filter"),
    "bgcfn": ("blit", "geom", "color", "filter", "noise"),
    "bgcfnc": ("blit", "geom", "color", "filter", "noise", "cutout"),
}
"""Sets of transformations by the names of the authors' code."""


def augment(x, p, key, parts: str = "bgc", sparing: bool = False):
    """Apply each transformation to each example with probability p and a random strength; differentiable in x.

    `parts` is a name of PARTS. An example without a transformation is unchanged to the bit. A p above one counts as
    one. `sparing`: one example after the other, computed again in the backward pass, since images as they are resampled
    have 16 times their pixels.
    Paper: square images; here: a rectangle has half turns in place of quarter turns, and shifts and cutouts are shares
    of its own sides.
    Shapes: x [B, H, W, C] in [-1, 1], with color C = 1 or 3, p [] -> [B, H, W, C], which may leave [-1, 1].
    Raises: InputError for images of other shapes.
    """
    chosen = PARTS[parts]
    if x.ndim != 4 or min(x.shape[1:3]) < 2 or not fits(parts, x.shape[3]):
        raise InputError(
            f"shape {x.shape}: expected [B, H, W, C], for {parts!r} images in gray (C = 1) or color (C = 3)"
        )

    def one(p, x, key):
        geometry, colors = jax.random.split(key)
        if "blit" in chosen or "geom" in chosen:
            blit, rest = draw_maps(geometry, p, x.shape[:2])
            identity = jnp.eye(3)
            x = reframe(x, blit if "blit" in chosen else identity, rest if "geom" in chosen else identity)
        x = color.recolor(x, draw_colors(colors, p)) if "color" in chosen else x
        x = bands.amplify_by_chance(x, p, jax.random.fold_in(key, 4)) if "filter" in chosen else x
        x = corrupt(x, p, jax.random.fold_in(key, 2)) if "noise" in chosen else x
        return cut_out(x, p, jax.random.fold_in(key, 3)) if "cutout" in chosen else x

    keys = noise.per_example(key, len(x))
    return one_by_one(one, p, x, keys) if sparing else jax.vmap(partial(one, p))(x, keys)


def fits(parts: str, channels: int) -> bool:
    """Whether a set of transformations is defined for images of a number of channels: those of color for 1 and 3."""
    return channels in (1, 3) or "color" not in PARTS[parts]


def corrupt(x, p, key):
    """With probability p normal noise, whose standard deviation is the size of a normal number of deviation 0.1.

    Shapes: x [H, W, C], unchanged. Source: arXiv:2006.06676, appendix B, "image-space corruptions".
    """
    k_chance, k_size, k_noise = jax.random.split(key, 3)
    size = 0.1 * jnp.abs(jax.random.normal(k_size, (), x.dtype))
    applied = jax.random.uniform(k_chance, (), jnp.float32) < p
    return jnp.where(applied, x + size * jax.random.normal(k_noise, x.shape, x.dtype), x)


def cut_out(x, p, key):
    """With probability p zeros in a rectangle of half the sides, with its center anywhere in the image.

    Shapes: x [H, W, C], unchanged. Source: as `corrupt`.
    """
    k_chance, k_center = jax.random.split(key)
    centers = jax.random.uniform(k_center, (2,))
    rows, columns = (jnp.abs((jnp.arange(n) + 0.5) / n - c) < 0.25 for n, c in zip(x.shape, centers, strict=False))
    applied = jax.random.uniform(k_chance, (), jnp.float32) < p
    return jnp.where((applied & rows[:, None] & columns)[..., None], 0, x)


def reframe(x, blit, rest):
    """Apply two maps to an image as one; the first takes pixels to pixels. Shapes: x [H, W, C], unchanged.

    Its code: every image is filtered; here: not if `rest` is the identity, because the filter is not quite symmetric
    and would change the finest detail of images that are only flipped or rotated.
    """
    return jnp.where((rest == jnp.eye(3)).all(), affine.move(x, blit), affine.warp(x, _multiply(blit, rest)))


def draw_maps(key, p, size: tuple[int, int]):
    """The maps of one example of a size (height, width): first from pixels to pixels, then the rest.

    Shapes: -> [3, 3], [3, 3].
    """
    k_uniform, k_normal, k_chance = jax.random.split(key, 3)
    mirror, quarters, *pixels, first, second = jax.random.uniform(k_uniform, (6,), jnp.float32)
    zoom, stretch, *fractions = jax.random.normal(k_normal, (4,), jnp.float32)
    eighths = [n / 8 for n in size[::-1]]
    quarters = jnp.int32(4 * quarters) if size[0] == size[1] else 2 * jnp.int32(2 * quarters)  # rounded down
    zoom = jnp.exp2(0.2 * zoom)
    stretch = jnp.exp2(0.2 * stretch)
    rotated = 1 - jnp.sqrt(jnp.maximum(1 - p, 0))  # there are two rotations: at least one has probability p
    maps = _by_chance(
        k_chance,
        (p, affine.scale(jnp.where(mirror < 0.5, 1, -1), 1)),
        (p, affine.turn(jnp.array([1, 0, -1, 0])[quarters], jnp.array([0, 1, 0, -1])[quarters])),
        (p, affine.shift(*(jnp.round(n * (2 * u - 1)) for n, u in zip(eighths, pixels, strict=True)))),
        (p, affine.scale(zoom, zoom)),
        (rotated, _turn(first)),
        (p, affine.scale(stretch, 1 / stretch)),
        (rotated, _turn(second)),
        (p, affine.shift(*(n * z for n, z in zip(eighths, fractions, strict=True)))),
    )
    return reduce(_multiply, maps[:3]), reduce(_multiply, maps[3:])


def draw_colors(key, p):
    """The color matrix of one example. Shapes: -> [4, 4]."""
    k_uniform, k_normal, k_chance = jax.random.split(key, 3)
    flipped, angle = jax.random.uniform(k_uniform, (2,), jnp.float32)
    light, gain, vivid = jax.random.normal(k_normal, (3,), jnp.float32)
    matrices = _by_chance(
        k_chance,
        (p, color.brightness(0.2 * light)),
        (p, color.contrast(jnp.exp2(0.5 * gain))),
        (p, color.luma_flip(flipped < 0.5)),
        (p, color.hue(jnp.pi * (2 * angle - 1))),
        (p, color.saturation(jnp.exp2(vivid))),
    )
    return reduce(_multiply, matrices[::-1])


def _turn(share):
    """The map that rotates an image by a share of the full circle."""
    return affine.turn(jnp.cos(2 * jnp.pi * share), jnp.sin(2 * jnp.pi * share))


def _by_chance(key, *chances):
    """Each matrix with its probability, otherwise the identity. Shapes: -> [N, n, n]."""
    probabilities, matrices = (jnp.stack(each) for each in zip(*chances, strict=True))
    applied = jax.random.uniform(key, probabilities.shape, jnp.float32) < probabilities
    return jnp.where(applied[:, None, None], matrices, jnp.eye(matrices.shape[1], dtype=matrices.dtype))


def init_state(p=0.0):
    """The state before training: probability p, no signs. Shapes: all [], float32."""
    return {"p": jnp.float32(p), "sign": jnp.float32(0), "count": jnp.float32(0)}


def adapt(state, sign, batch: int, target=0.6, kimg=500.0, interval: int = 4):
    """The state after one more step, in which the critic's logits of augmented reals had the mean sign `sign`.

    Every `interval` steps p rises if the mean sign over them is above `target`, and falls if it is below, at a speed
    from 0 to 1 in `kimg` thousand reals. It stays at 0 or more; as in the paper, it is not bounded by 1.
    Shapes: all []; `batch` reals per step. Source: arXiv:2006.06676, section 3, the heuristic r_t of eq. 1.
    """
    total = state["sign"] + sign
    count = state["count"] + 1
    p = jnp.maximum(state["p"] + jnp.sign(total / count - target) * (batch * interval / (kimg * 1000)), 0)
    full = count >= interval
    return {"p": jnp.where(full, p, state["p"]), "sign": jnp.where(full, 0, total), "count": jnp.where(full, 0, count)}
