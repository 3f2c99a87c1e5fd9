"""Settings of the generator: checkpoint, averaged weights, class, truncation, noise, direction."""

from genjax.config import NOISE
from genjax.exploration.page.sliders import slider
from genjax.exploration.page.tab import Tab

POLL = 5.0  # seconds between looks for new checkpoints


def settings(tab: Tab) -> None:
    """The settings that the run has."""
    ui, explorer, request = tab.ui, tab.explorer, tab.request
    if explorer.steps():
        checkpoints(tab)
    if explorer.has_average:
        ui.switch("Averaged weights", value=request.ema, on_change=lambda e: tab.change(ema=e.value)).props("id=ema")
    if explorer.is_unpaired:
        names = {"": "A to B", "a": "B to A"}
        ui.toggle(names, value="a" if request.to == "a" else "", on_change=lambda e: tab.change(to=e.value)).props(
            'id=to aria-label="direction"'
        )
    if explorer.classes:
        names = {"": "of the seed" if "seeds" in explorer.kinds else "of the example"}
        names |= {str(i): name for i, name in enumerate(explorer.classes)}
        value = next((key for key, name in names.items() if request.label in (key, name)), "")
        ui.select(names, value=value, label="Class", on_change=lambda e: tab.change(label=e.value)).props(
            "id=label"
        ).classes("w-full")
    if "seeds" in explorer.kinds and not explorer.is_still:
        truncation(tab)
    if explorer.has_noise:
        ui.label("Noise of the layers")

        def change(event):
            tab.change(noise="" if event.value == NOISE[0] else event.value)

        ui.toggle(list(NOISE), value=request.noise or NOISE[0], on_change=change).props('id=noise aria-label="noise"')


def truncation(tab: Tab) -> None:
    """A switch, and a slider while it is on."""
    ui, psi = tab.ui, tab.request.truncation
    limits = {"min": 0, "max": 1.5} if tab.explorer.has_styles else {"min": 0.1, "max": 3}

    def change():
        tab.change(truncation=float(control.value) if switch.value else None)

    switch = ui.switch("Truncation", value=psi is not None, on_change=change).props("id=truncate")
    control = slider(tab, "truncation", change, 0.7 if psi is None else psi, **limits, step=0.05)
    control.props("label-always").classes("mt-4").bind_visibility_from(switch, "value")


def checkpoints(tab: Tab) -> None:
    """A slider of the checkpoints. It follows a run that goes on, without the checkpoints that this deletes."""
    ui, explorer = tab.ui, tab.explorer
    known = {"steps": explorer.steps()}
    total = explorer.task.steps

    def index():
        steps = known["steps"]
        return steps.index(tab.request.step) if tab.request.step in steps else len(steps) - 1

    def describe():
        newest = known["steps"][-1]
        text.set_text(f"Checkpoint: step {known['steps'][index()]:,}")
        note.set_text(f"The run is at step {newest:,} of {total:,}: checkpoints to come appear here.")
        note.set_visibility(newest < total)

    def choose(event):
        step = known["steps"][min(int(event.value), len(known["steps"]) - 1)]
        if step != tab.request.step:
            tab.change(step=step)
        describe()

    def poll():
        if (steps := explorer.steps()) and steps != known["steps"]:
            known["steps"] = steps
            control.props["max"] = max(1, len(steps) - 1)
            control.set_value(index())
            control.set_enabled(len(steps) > 1)
            control.update()
            describe()

    count = len(known["steps"])
    text = ui.label().props("id=step")
    begin = index() if count > 1 else 1
    control = slider(tab, "checkpoint", choose, begin, min=0, max=max(1, count - 1), step=1).props("markers")
    control.set_enabled(count > 1)
    note = ui.label().classes("caption").props("id=going")
    describe()
    ui.timer(POLL, poll)
