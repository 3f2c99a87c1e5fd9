"""Saving what is seen: an image, or a film through several, each with the command that makes it again."""

import hashlib
import shlex

from genjax.exploration import film
from genjax.exploration.page.tab import Tab
from genjax.report import display


def buttons(tab: Tab):
    """The buttons that save, and the command of what is seen, which is returned."""
    ui, explorer = tab.ui, tab.explorer
    stations = []

    async def save_image():
        request = tab.request
        content = await tab.attempt(lambda: display.file_of(explorer.image(request))[1])
        if content is not None:
            ui.download(content, tab.name(request))

    def follow():
        film_button.set_text(f"Save film of {len(stations)}")
        film_button.set_visibility(len(stations) > 1)
        forget.set_visibility(bool(stations))
        note.set_visibility(len(stations) == 1)

    def add():
        stations.append(tab.request)
        follow()

    def clear():
        stations.clear()
        follow()

    async def save_film():
        chosen = tuple(stations)
        text = film.to_text(chosen)
        name = f"{explorer.workdir.name}_{hashlib.sha256(text.encode()).hexdigest()[:8]}"
        film_button.set_text("Drawing the film")
        film_button.disable()
        content = await tab.attempt(film.gif_of, explorer, chosen)
        film_button.enable()
        if content is None:
            follow()
            return
        ui.download(text.encode(), f"{name}.json")
        ui.download(content, f"{name}.gif")
        words = [f"--workdir={explorer.workdir}", f"--film={name}.json", f"--out={name}.gif"]
        command.set_text(f"python -m genjax.explore {shlex.join(words)}")
        clear()

    with ui.row().classes("gap-2"):
        ui.button("Save image", on_click=save_image).props("id=save")
        if explorer.latents:
            ui.button("Add to film", on_click=add).props("outline id=add")
        film_button = ui.button("Save film", on_click=save_film).props("outline id=film")
        forget = ui.button("Forget", on_click=clear).props("flat id=forget")
    note = ui.label("A film of 1 image: change the image and add another.").classes("caption")
    command = ui.label().classes("command").props("id=command")
    follow()
    return command
