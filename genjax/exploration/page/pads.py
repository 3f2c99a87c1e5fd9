"""Squares to drag over, and images side by side in an element."""

import base64
from collections.abc import Callable, Sequence

import numpy as np

from genjax.exploration.page.tab import Tab
from genjax.exploration.request import Request
from genjax.report import display

THROTTLE = 0.02  # seconds between the positions that a drag sends

DRAG = """(e) => {
    if (e.type === 'pointerdown') { e.preventDefault(); e.currentTarget.setPointerCapture(e.pointerId); }
    if (e.buttons === 0) return; const box = e.currentTarget.getBoundingClientRect();
    emit((e.clientX - box.left) / box.width, (e.clientY - box.top) / box.height); }"""
"""The shares of a square's sides at which the pointer is; where a browser would begin to drag what is selected, not."""


class Pad:
    """A square to drag over, its image and its spot; `on_point` gets the shares of its sides."""

    def __init__(self, tab: Tab, name: str, label: str, on_point: Callable[[float, float], object]):
        ui = tab.ui
        with ui.element("div").classes("plane").props(f'id={name} aria-label="{label}"') as pad:
            self.image = ui.element("img").props('alt="" draggable=false')
            self._spot = ui.element("div").classes("spot")

        def dragged(event):
            x, y = (min(max(float(part), 0.0), 1.0) for part in event.args)
            self.put(x, y)
            on_point(x, y)

        for event in ("pointerdown", "pointermove"):
            pad.on(event, dragged, js_handler=DRAG, throttle=THROTTLE)
        pad.on("dragstart", js_handler="(e) => e.preventDefault()")

    def put(self, x: float, y: float) -> None:
        """Put the spot at a place."""
        self._spot.style(f"left: {100 * x:.2f}%; top: {100 * y:.2f}%")

    def show(self, content: bytes) -> None:
        """Show a PNG."""
        show(self.image, content)


def show(image, content: bytes) -> None:
    """Show a PNG in an element."""
    image.props["src"] = address(content)
    image.update()


def png(x: np.ndarray) -> bytes:
    """A PNG of an image as it is shown."""
    return display.png(display.shown(x))


def side_by_side(tab: Tab, requests: Sequence[Request], columns: int) -> bytes:
    """The images of requests in rows, as a PNG; each is made alone, so that changes are drawn between them."""
    from genjax.report.figures import grid

    images = np.stack([tab.alone(tab.explorer.image, request) for request in requests])
    return display.png(np.atleast_3d(np.asarray(grid(images, columns, pad=0, scale=1))))


def address(content: bytes) -> str:
    """A PNG as the address of an image."""
    return "data:image/png;base64," + base64.b64encode(content).decode()
