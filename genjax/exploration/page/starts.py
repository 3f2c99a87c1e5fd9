"""Starts in place of seeds: examples of the data, images from files, or their projections."""

from genjax.exploration.page import uploads
from genjax.exploration.page.sliders import slider
from genjax.exploration.page.tab import Tab
from genjax.exploration.projected import projected as project

STEPS = 100  # of a projection


def examples(tab: Tab) -> None:
    """An example of the held-out data, and another to go toward."""
    ui, explorer = tab.ui, tab.explorer
    first, second = (*tab.request.examples, None, None)[:2]

    def choose():
        if one.value is not None:
            numbers = tuple(int(field.value) for field in (one, other) if field and field.value is not None)
            at = tab.request.at if len(tab.request.at) == 1 else (1.0 if explorer.is_stylization else 0.5,)
            tab.start_from("examples", numbers, at if len(numbers) == 2 else ())

    label = "Example, a content" if explorer.is_stylization else "Example"
    one = ui.number(label, value=first, min=0, precision=0, on_change=choose).props("dense")
    other = None
    if not explorer.is_translation and not explorer.codebook:
        label = "Style of another" if explorer.is_stylization else "Toward another"
        other = ui.number(label, value=second, min=0, precision=0, on_change=choose).props("dense")
        way(tab, "examples")


def images(tab: Tab) -> None:
    """Images of one's own: one, two with a way between them, or a content and a style."""
    explorer = tab.explorer
    slots = dict(enumerate(tab.request.images))

    def take(number):
        def on_path(path):
            slots[number] = str(path)
            paths = tuple(slots[index] for index in sorted(slots))
            if explorer.is_stylization and len(paths) < 2:
                tab.tell(f"The {('content', 'style')[number]} is there: choose a {('style', 'content')[number]} too.")
            else:
                tab.start_from("images", paths, (1.0,) if len(paths) == 2 else ())

        return on_path

    names = ("Choose a content", "Choose a style") if explorer.is_stylization else ("Choose an image", "Toward another")
    uploads.chooser(tab, 0, names[0], take(0))
    if not explorer.is_translation and not explorer.codebook:
        uploads.chooser(tab, 1, names[1], take(1))
        way(tab, "images")


def way(tab: Tab, kind: str) -> None:
    """A slider of the way from one start to the other, or of the strength of a style, when there are two."""
    ui, stylizes = tab.ui, tab.explorer.is_stylization
    name = "Strength of the style" if stylizes else "Way to the other"

    def change(event):
        starts, at = getattr(tab.request, kind), float(event.value)
        if len(starts) == 1 and stylizes:  # a content over a style, twice
            tab.start_from(kind, starts * 2, (at,))
        elif len(starts) == 2 and tab.request.at != (at,):
            tab.change(at=(at,))

    with ui.column().classes("w-full gap-0") as box:
        ui.label(name).classes("caption")
        begin = (tab.request.at or (1.0,))[0]
        control = slider(tab, f"{name}: {kind}", change, begin, min=0, max=1, step=0.01).props("label")

    def follow():
        starts = getattr(tab.request, kind)
        box.set_visibility(len(starts) == 2 or (stylizes and kind == "examples" and len(starts) == 1))
        if tab.request.at and starts:
            control.set_value(tab.request.at[0])

    tab.watchers.append(follow)
    follow()


def projected(tab: Tab) -> None:
    """An image of one's own, whose latents are found by descent; then it can be edited as a seed can."""
    ui, explorer = tab.ui, tab.explorer
    done = {"step": 0, "busy": False}

    async def on_path(path):
        if done["busy"]:
            tab.tell("An image is being projected: wait for it")
            return
        done.update(step=0, busy=True)
        count, step = int(steps.value or STEPS), tab.request.step
        progress.set_visibility(True)
        try:
            code = await tab.aside(lambda: project(explorer, path, step, count, lambda n: done.update(step=n)))
        finally:
            done["busy"] = False
            progress.set_visibility(False)
        if code is not None:
            tab.start_from("codes", (code,))

    def tick():
        if done["busy"]:
            text = f"Projecting: step {done['step']:,} of {int(steps.value or STEPS):,}"
            progress.set_text(text if done["step"] else "Projecting: compiling")

    steps = ui.number("Steps of the descent", value=STEPS, min=1, precision=0).props("dense")
    uploads.chooser(tab, 0, "Choose an image", on_path)
    progress = ui.label("Projecting: compiling").props("id=progress")
    progress.set_visibility(False)
    ui.timer(0.5, tick)
