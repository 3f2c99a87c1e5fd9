"""The map of codes of a vector-quantized autoencoder: a place is chosen by a click, its code by a slider."""

import colorsys

import numpy as np

from genjax.exploration.page import pads
from genjax.exploration.page.sliders import slider
from genjax.exploration.page.tab import Tab
from genjax.exploration.request import Edit

GOLDEN = 0.618034  # of the circle of hues, between the colors of successive codes


def colors(codes: np.ndarray, count: int) -> np.ndarray:
    """A color per code, those of successive codes far apart. Shapes: int [h, w] -> uint8 [h, w, 3]."""
    table = [colorsys.hsv_to_rgb(i * GOLDEN % 1, 0.35 + 0.5 * (i % 3) / 2, 0.95 - 0.35 * (i % 2)) for i in range(count)]
    return np.rint(255 * np.array(table)).astype(np.uint8)[codes]


def edits(tab: Tab) -> None:
    """The map in colors, the place that is chosen in it, and the code there."""
    ui, explorer = tab.ui, tab.explorer
    now = {"codes": None, "row": 0, "column": 0, "asked": None}

    def choose(x, y):
        if now["codes"] is not None:
            height, width = now["codes"].shape
            set_place(min(int(y * height), height - 1), min(int(x * width), width - 1))

    def set_place(row_number, column_number):
        now.update(row=row_number, column=column_number)
        row.set_value(row_number)
        column.set_value(column_number)
        describe()

    def describe():
        height, width = now["codes"].shape
        now["row"], now["column"] = min(now["row"], height - 1), min(now["column"], width - 1)
        code = int(now["codes"][now["row"], now["column"]])
        pad.put((now["column"] + 0.5) / width, (now["row"] + 0.5) / height)
        text.set_text(f"Row {now['row']}, column {now['column']}: code {code} of {explorer.codebook}")
        now["code"] = code
        code_slider.set_value(code)

    def edit(event):
        code = int(event.value)
        if now["codes"] is None or code == now["code"]:
            return
        edit = Edit(now["row"], now["column"], code)
        rest = [e for e in tab.request.edits if (e.row, e.column) != (edit.row, edit.column)]
        tab.change(edits=(*rest, edit))

    def typed():
        if now["codes"] is not None and (int(row.value or 0), int(column.value or 0)) != (now["row"], now["column"]):
            now.update(row=int(row.value or 0), column=int(column.value or 0))
            describe()

    async def follow():
        if (request := tab.request) == now["asked"]:
            return
        now["asked"] = request
        codes = await tab.attempt(explorer.code_map, request)
        if codes is not None and now["asked"] == request:
            now["codes"] = codes
            pad.show(pads.png(colors(codes, explorer.codebook)))
            describe()

    pad = pads.Pad(tab, "codes", "map of codes", choose)
    text = ui.label().props("id=code")
    code_slider = slider(tab, "code", edit, 0, min=0, max=explorer.codebook - 1, step=1)
    with ui.row().classes("items-center gap-2"):
        row, column = (
            ui.number(name, value=0, min=0, precision=0, on_change=typed).props("dense").classes("w-20")
            for name in ("Row", "Column")
        )
        ui.button("Undo all", on_click=lambda: tab.change(edits=())).props("flat id=undo")
    tab.watchers.append(lambda: tab.soon(follow))
