"""Styles drawn by code: brush strokes, glass, woodcuts, dots, planes and marble, in palettes of a few colors.

Style images for style transfer that are free of licenses. Image number n depends only on n: `textures_64` shows the
images of `textures_512` with fewer pixels.
"""

import colorsys

import numpy as np


def draw(number: int, side: int) -> np.ndarray:
    """Image number `number`, of kind number % 6. Shapes: -> uint8 [side, side, 3]."""
    rng = np.random.default_rng((5, int(number)))
    colors = palette(rng)
    y, x = (np.mgrid[:side, :side] + 0.5) / side
    kind = KINDS[int(number) % len(KINDS)]
    return np.uint8(np.clip(np.rint(kind(rng, x, y, colors)), 0, 255))


def palette(rng, count: int = 6) -> np.ndarray:
    """Matching colors from dark to light: a hue, its neighbors and its complement. Shapes: -> [count, 3]."""
    hue = rng.uniform()
    spread = rng.uniform(0.03, 0.12)
    hues = hue + spread * rng.normal(size=count) + 0.5 * (rng.uniform(size=count) < 0.3)
    light = np.linspace(rng.uniform(0.08, 0.3), rng.uniform(0.8, 1.0), count)
    saturation = rng.uniform(0.3, 0.95, count)
    return 255 * np.array([colorsys.hsv_to_rgb(h % 1, s, v) for h, s, v in zip(hues, saturation, light, strict=True)])


def field(rng, x, y, waves: int = 5, frequency: float = 2.0):
    """A smooth random function of the position, with a mean of about 0 and a standard deviation of about 1."""
    total = 0
    for _ in range(waves):
        angle = rng.uniform(0, 2 * np.pi)
        phase = rng.uniform(0, 2 * np.pi)
        f = frequency * rng.uniform(0.3, 1)
        total = total + np.sin(2 * np.pi * f * (x * np.cos(angle) + y * np.sin(angle)) + phase)
    return total * np.sqrt(2 / waves)


def strokes(rng, x, y, colors):
    """Short thick lines along a flow, in colors that depend on the position."""
    from PIL import Image, ImageDraw

    side = 2 * len(x)  # drawn at twice the size, for smooth edges
    seed = rng.integers(2**32)
    image = Image.new("RGB", (side, side), tuple(int(c) for c in colors[0]))
    pen = ImageDraw.Draw(image)
    count = int(rng.integers(1200, 3000))
    length = rng.uniform(0.03, 0.09)
    width = rng.uniform(0.006, 0.016)
    at = rng.uniform(size=(2, count))
    shade = rng.normal(size=count)
    angle = np.pi * field(np.random.default_rng(seed), *at)
    tone = field(np.random.default_rng(seed + 1), *at, frequency=1.5)
    which = np.clip((tone + 0.5 * shade + 2) / 4 * len(colors), 0, len(colors) - 1).astype(int)
    noise = rng.normal(0, 14, (count, 3))
    for i in range(count):
        step = 0.5 * length * np.array([np.cos(angle[i]), np.sin(angle[i])])
        ends = [tuple(side * (at[:, i] + sign * step)) for sign in (-1, 1)]
        color = tuple(int(c) for c in np.clip(colors[which[i]] + noise[i], 0, 255))
        pen.line(ends, fill=color, width=max(1, round(side * width)))
    return np.asarray(image.resize((len(x), len(x)), Image.Resampling.BOX), float)


def glass(rng, x, y, colors):
    """Panes between dark leads: the Voronoi cells of random points."""
    count = int(rng.integers(25, 120))
    points = rng.uniform(-0.05, 1.05, (count, 2))
    first = np.full(x.shape, 9.0)  # distances to the nearest two points
    second = np.full(x.shape, 9.0)
    nearest = np.zeros(x.shape, int)
    for i, (px, py) in enumerate(points):
        distance = np.hypot(x - px, y - py)
        closer = distance < first
        second = np.where(closer, first, np.minimum(second, distance))
        nearest = np.where(closer, i, nearest)
        first = np.where(closer, distance, first)
    panes = colors[rng.integers(1, len(colors), count)] + rng.normal(0, 12, (count, 3))
    lead = np.clip((second - first) / rng.uniform(0.012, 0.03), 0, 1)[..., None]
    shine = 1 + 0.15 * field(rng, x, y)[..., None]
    return lead * panes[nearest] * shine + (1 - lead) * colors[0] * 0.3


def woodcut(rng, x, y, colors):
    """Bent parallel lines, thick in dark places."""
    bend = 0.12 * field(rng, x, y, frequency=1.2)
    tone = field(rng, x, y, frequency=1.5)
    angle = rng.uniform(0, np.pi)
    lines = rng.uniform(18, 45)
    wave = np.sin(2 * np.pi * lines * (x * np.cos(angle) + y * np.sin(angle) + bend))
    ink = np.clip(0.5 + 1.6 * (wave - 0.6 * tone), 0, 1)[..., None]
    paper = colors[-1 - (tone > 0.5).astype(int)]
    return ink * paper + (1 - ink) * colors[int(rng.integers(0, 2))]


def dots(rng, x, y, colors):
    """Round dots on a plain ground, in colors that depend on the position."""
    from PIL import Image, ImageDraw

    side = 2 * len(x)
    image = Image.new("RGB", (side, side), tuple(int(c) for c in colors[-1]))
    pen = ImageDraw.Draw(image)
    count = int(rng.integers(2500, 5000))
    radius = rng.uniform(0.006, 0.014)
    at = rng.uniform(size=(2, count))
    tone = field(rng, *at, frequency=1.5) + 0.7 * rng.normal(size=count)
    which = np.clip((tone + 2) / 4 * len(colors), 0, len(colors) - 1).astype(int)
    for (px, py), color in zip(at.T * side, colors[which], strict=True):
        r = radius * side
        pen.ellipse((px - r, py - r, px + r, py + r), fill=tuple(int(c) for c in color))
    return np.asarray(image.resize((len(x), len(x)), Image.Resampling.BOX), float)


def planes(rng, x, y, colors):
    """Overlapping half-planes, each shaded across: facets."""
    image = np.broadcast_to(colors[2], (*x.shape, 3)).astype(float)
    for _ in range(int(rng.integers(12, 28))):
        angle = rng.uniform(0, 2 * np.pi)
        px, py = rng.uniform(size=2)
        away = (x - px) * np.cos(angle) + (y - py) * np.sin(angle)
        along = (y - py) * np.cos(angle) - (x - px) * np.sin(angle)
        inside = (away > 0) & (away < rng.uniform(0.1, 0.5)) & (np.abs(along) < rng.uniform(0.15, 0.6))
        shade = np.clip(1 - away / 0.5, 0.2, 1)[..., None]
        color = colors[int(rng.integers(len(colors)))]
        image = np.where(inside[..., None], shade * color + (1 - shade) * image * 0.8, image)
    return image


def marble(rng, x, y, colors):
    """Veins of color along a distorted field."""
    wx, wy = (0.25 * field(rng, x, y, frequency=1.5) for _ in range(2))
    tone = field(rng, x + wx, y + wy, waves=7, frequency=rng.uniform(2, 5))
    place = (tone + 2.2) / 4.4 * (len(colors) - 1)
    low = np.clip(place.astype(int), 0, len(colors) - 2)
    part = np.clip(place - low, 0, 1)[..., None]
    return (1 - part) * colors[low] + part * colors[low + 1]


KINDS = (strokes, glass, woodcut, dots, planes, marble)
