"""The examples of the data whose codes are nearest to that of the image, each a button that starts from it."""

from functools import partial

from genjax.exploration.page import pads
from genjax.exploration.page.tab import Tab
from genjax.exploration.request import Request

NEIGHBORS = 8


def nearest(tab: Tab) -> None:
    """A button that finds them, and the examples themselves, not their reconstructions."""
    ui, explorer = tab.ui, tab.explorer

    def find(request):
        numbers = explorer.neighbors(request, NEIGHBORS)
        return [(number, pads.png(explorer.inputs(Request(examples=(number,)))[0])) for number in numbers]

    def start(number):
        tab.change(**{"moves": (), "edits": ()})
        tab.start_from("examples", (number,))

    async def show():
        tiles = await tab.attempt(find, tab.request)
        if tiles is None:
            return
        row.clear()
        with row:
            for number, png in tiles:
                with ui.element("button").classes("tile").on("click", partial(start, number)):
                    ui.element("img").props(f'alt="" src={pads.address(png)}')
                    ui.label(f"Example {number:,}").classes("caption")

    ui.button("Find the nearest examples", on_click=show).props("outline id=nearest")
    with ui.row().classes("gap-2 mt-2").props("id=neighbors") as row:
        pass
