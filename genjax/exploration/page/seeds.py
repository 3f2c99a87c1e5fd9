"""Planes to drag over: of seeds, whose images lie between those of the four around the pointer, and of two latents."""

from dataclasses import replace

from genjax.exploration.page import pads
from genjax.exploration.page.tab import Tab
from genjax.exploration.request import BLENDS

SIDE = 5  # seeds along a side of the plane
MANIFOLD = 10  # images along a side of the plane of two latents
BLEND_NAMES = {"": "default", "slerp": "spherical", "lerp": "straight", "w": "straight in w"}
CORNER = (1 / (2 * SIDE),) * 2  # where the first seed is


def place(x: float, y: float, first: int) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The seeds around a point of the plane, and the place between them; of one seed alone near its middle.

    Seeds `first`, `first` + 1, ... fill the plane by rows; each has its image in the middle of its cell.
    Units: x and y as shares of the plane's sides.
    """
    cells = [min(max(SIDE * part - 0.5, 0.0), SIDE - 1.0) for part in (x, y)]
    column, row = (min(int(cell), SIDE - 2) for cell in cells)
    across, down = (round(cell - corner, 3) for cell, corner in zip(cells, (column, row), strict=True))
    seed = first + SIDE * row + column
    if {across, down} <= {0.0, 1.0}:
        return (seed + int(across) + SIDE * int(down),), ()
    return (seed, seed + 1, seed + SIDE, seed + SIDE + 1), (across, down)


def plane(tab: Tab) -> None:
    """The plane of seeds, which is drawn again when what all its images share has changed."""
    ui, explorer = tab.ui, tab.explorer
    begin = {"first": tab.request.seeds[0] if len(tab.request.seeds) == 1 else 0, "drawn": None, "busy": False}
    pad = pads.Pad(tab, "plane", "plane of seeds", lambda x, y: tab.start_from("seeds", *place(x, y, begin["first"])))
    pad.put(*CORNER)

    def shared():
        """The request without what its images differ in: they share checkpoint, class, truncation, noise, weights."""
        return begin["first"], replace(tab.request.with_starts("seeds", (0,)), moves=(), mix=None, edits=(), blend="")

    async def draw():
        """Until what is drawn is the current request: of changes that come while it is drawn, the last is drawn."""
        if begin["busy"]:
            return
        begin["busy"] = True
        try:
            while (current := shared()) != begin["drawn"]:
                begin["drawn"] = current
                first, plain = current
                requests = [plain.with_starts("seeds", (seed,)) for seed in range(first, first + SIDE**2)]
                content = await tab.aside(pads.side_by_side, tab, requests, SIDE)
                if content is not None:
                    pad.show(content)
        finally:
            begin["busy"] = False

    def follow():
        if shared() != begin["drawn"]:
            tab.soon(draw, 0.3)  # a slider that is dragged is followed by the image first

    def choose(event):
        begin["first"] = min(max(int(event.value or 0), 0), 2**31 - SIDE**2)
        pad.put(*CORNER)
        tab.start_from("seeds", (begin["first"],))

    def turn(pages):
        first.set_value(max(0, begin["first"] + pages * SIDE**2))

    with ui.row().classes("items-center gap-2"):
        ui.button(icon="navigate_before", on_click=lambda: turn(-1)).props('flat dense aria-label="back"')
        first = ui.number("First seed", value=begin["first"], min=0, precision=0, on_change=choose)
        first.props("dense").classes("w-32")
        ui.button(icon="navigate_next", on_click=lambda: turn(1)).props('flat dense aria-label="next"')
    blends = {name: BLEND_NAMES[name] for name in BLENDS if name != "w" or explorer.has_styles}
    select = ui.select(blends, value=tab.request.blend, label="Blending", on_change=lambda e: tab.change(blend=e.value))
    select.classes("w-40")
    tab.watchers.append(follow)


def manifold(tab: Tab) -> None:
    """The plane of two latents; moves along both lead to the point that is chosen."""
    explorer = tab.explorer
    now = {"drawn": None, "point": (0.5, 0.5)}
    places = [(index + 0.5) / MANIFOLD for index in range(MANIFOLD)]

    def at(plain, x, y):
        return tab.alone(explorer.at_point, plain, x, y)

    async def choose():
        if (request := await tab.aside(at, tab.request, *now["point"])) is not None:
            tab.want(request)

    def point(x, y):
        now["point"] = x, y
        tab.soon(choose)

    def shared():
        """The request without what its images differ in, which are those of any start."""
        return replace(tab.request.with_starts(explorer.kinds[0], (0,)), moves=(), truncation=None, blend="")

    async def draw():
        if (plain := shared()) != now["drawn"]:
            now["drawn"] = plain
            content = await tab.aside(
                lambda: pads.side_by_side(tab, [at(plain, x, y) for y in places for x in places], MANIFOLD)
            )
            if content is not None:
                pad.show(content)

    pad = pads.Pad(tab, "manifold", "plane of both latents", point)
    pad.put(0.5, 0.5)
    tab.watchers.append(lambda: shared() != now["drawn"] and tab.soon(draw, 0.3))
