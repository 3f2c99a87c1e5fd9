"""Moves of a latent along directions, in all layers of a StyleGAN or in some, and the styles of another seed."""

from collections.abc import Callable
from dataclasses import replace

from genjax.exploration.page.sliders import slider, two_ended
from genjax.exploration.page.tab import Tab
from genjax.exploration.request import Layers, Mix, Move

SHOWN = 8  # sliders of directions at a time
REACH = 3.0  # of a slider, both ways


def directions(tab: Tab) -> None:
    """Sliders of the first principal directions, which a StyleGAN may have in some layers alone."""
    layers = {"chosen": next((move.layers for move in tab.request.moves if move.kind == "p"), Layers())}

    def move_layers(chosen):
        layers["chosen"] = chosen
        tab.change(moves=tuple(replace(m, layers=chosen) if m.kind == "p" else m for m in tab.request.moves))

    if tab.explorer.has_styles:
        _layers(tab, "Layers that they change", layers["chosen"], move_layers)
    for index in range(min(SHOWN, tab.explorer.latents)):
        _direction(tab, f"p{index}", lambda: layers["chosen"])


def latents(tab: Tab) -> None:
    """Sliders of the latents themselves, eight at a time."""
    ui, count = tab.ui, tab.explorer.latents
    first = {"latent": 0}

    @ui.refreshable
    def sliders():
        for index in range(first["latent"], min(first["latent"] + SHOWN, count)):
            _direction(tab, f"z{index}", Layers)

    def turn(event):
        first["latent"] = min(int(event.value or 0), count - 1)
        sliders.refresh()

    if count > SHOWN:
        ui.number(f"From latent, of {count}", value=0, min=0, max=count - 1, precision=0, on_change=turn).props(
            "dense"
        ).classes("w-full")
    sliders()


def _direction(tab: Tab, name: str, layers: Callable[[], Layers]) -> None:
    """A slider of one direction, and a button that takes it back to 0."""
    ui = tab.ui

    def value():
        return next((move.amount for move in tab.request.moves if move.direction == name), 0)

    def move(event):
        amount = round(float(event.value), 4)
        if amount == value():
            return
        moves = {move.direction: move for move in tab.request.moves}
        if amount:
            moves[name] = Move(name, amount, layers())
        else:
            moves.pop(name, None)
        tab.change(moves=tuple(moves.values()))

    with ui.row().classes("w-full items-center no-wrap gap-3"):
        ui.label(name).classes("w-8")
        control = slider(tab, name, move, value(), min=-REACH, max=REACH, step=0.05).props("label").classes("grow")
        ui.button(icon="restart_alt", on_click=lambda: control.set_value(0)).props(f'flat dense aria-label="{name}: 0"')


def mixing(tab: Tab) -> None:
    """The styles of another seed in some layers."""
    ui, last, begin = tab.ui, tab.explorer.task.layers - 1, tab.request.mix
    layers = begin.layers if begin else Layers(last // 2, last)
    mix = {"on": begin is not None, "seed": begin.seed if begin else 1, "layers": layers}

    def changed(**changes):
        mix.update(changes)
        tab.change(mix=Mix(mix["seed"], mix["layers"]) if mix["on"] else None)

    ui.switch("Mix", value=mix["on"], on_change=lambda e: changed(on=e.value)).props("id=mix")
    seed = ui.number("Seed", value=mix["seed"], min=0, precision=0).props("dense")
    seed.on_value_change(lambda e: changed(seed=int(e.value or 0)))
    _layers(tab, "Layers that take its styles", layers, lambda chosen: changed(layers=chosen))


def _layers(tab: Tab, label: str, begin: Layers, on_change: Callable[[Layers], None]) -> None:
    """A slider with two ends, the first and the last of the layers."""
    ui, last = tab.ui, tab.explorer.task.layers - 1

    def changed(event):
        low, high = int(event.value["min"]), int(event.value["max"])
        text.set_text(f"{label}: {low} to {high}")
        on_change(Layers() if (low, high) == (0, last) else Layers(low, high))

    value = {"min": begin.first, "max": last if begin.last is None else begin.last}
    text = ui.label(f"{label}: {value['min']} to {value['max']}")
    two_ended(tab, label, changed, value, last)
