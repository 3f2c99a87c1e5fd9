"""Drawings of nets: a block per map, its height by the side and its width by the number of channels."""

import math
from html import escape

HEIGHT = 96
GAP = 46
MOST = 14
"""Blocks of a drawing; longer chains keep their first and last ones."""


def chain(shapes: list[tuple[int, ...]], title: str) -> str:
    """The shapes through a net as an SVG, in one line; "" for fewer than two.

    Shapes: (side, side, channels) for maps, (units,) for vectors.
    """
    if len(shapes) < 2:
        return ""
    if len(shapes) > MOST:
        shapes = [*shapes[: MOST // 2], (), *shapes[-MOST // 2 + 1 :]]
    largest = max([1, *(shape[0] for shape in shapes if len(shape) == 3)])
    parts, x = [], 30.0
    for shape in shapes:
        width, height = block(shape, largest)
        y = 8 + (HEIGHT - height) / 2
        if shape:
            parts.append(f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}" rx="2"/>')
        center = x + width / 2
        label = escape("x".join(map(str, shape)) or "...")
        parts.append(f'<text x="{center:.0f}" y="{HEIGHT + 24}" text-anchor="middle">{label}</text>')
        x += width + max(GAP, 7.2 * len(label) + 10 - width)
    size = f'viewBox="0 0 {x:.0f} {HEIGHT + 32}" width="{x:.0f}" height="{HEIGHT + 32}"'
    content = "".join([f"<title>{escape(title)}</title>", *parts])
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">{content}</svg>'


def block(shape: tuple[int, ...], largest: int) -> tuple[float, float]:
    """Width and height of a block."""
    if len(shape) == 3:
        return 4 + 4 * math.log2(1 + shape[2]), max(6.0, HEIGHT * math.log2(1 + shape[0]) / math.log2(1 + largest))
    if len(shape) == 2:
        return 4 + 4 * math.log2(1 + shape[1]), HEIGHT * 0.6
    return 6.0, min(HEIGHT, 8 + 7 * math.log2(1 + shape[0])) if shape else 0.0
