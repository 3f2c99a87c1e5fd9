"""The layout: the image with its command and buttons, beside or above the panels that the run has a use for."""

from pathlib import Path

from genjax.exploration.page import codes, moves, neighbors, pads, save, seeds, settings, starts
from genjax.exploration.page.tab import Tab

STYLE = Path(__file__).with_name("page.css")


def build(tab: Tab) -> None:
    """Build the page of a tab, and draw its request."""
    ui, explorer = tab.ui, tab.explorer
    ui.add_css(STYLE.read_text("utf-8"))
    ui.colors(primary="#2a6db4")
    with ui.element("div").classes("desk"):
        with ui.element("div").classes("stage"):
            image = ui.element("img").classes("image").props('id=image alt="the image of the request"')
            message = ui.label().classes("message").props('id=message role="status"')
        with ui.column().classes("actions gap-2"):
            command = save.buttons(tab)
            info = explorer.info
            ui.label(f"{explorer.workdir.name}: {info['config']['task']} of {info['data']['name']}").classes("panel")
            inputs(tab)
        with ui.column().classes("controls gap-3"):
            for title, is_open, build_panel in panels(tab):
                with ui.expansion(title, value=is_open).classes("panel").props("dense header-class=text-bold"):
                    build_panel(tab)

    def show(request, png):
        image.props["src"] = pads.address(png)
        image.update()
        command.set_text(request.command(str(explorer.workdir), tab.name(request)))

    def tell(text):
        message.set_text(text)
        message.set_visibility(bool(text))

    tab.show, tab.tell = show, tell
    tell("")
    ui.timer(0, lambda: tab.want(tab.request), once=True)


def panels(tab: Tab):
    """The panels of a run: title, whether it is open at first, and what builds it."""
    explorer, kinds = tab.explorer, tab.explorer.kinds
    if "seeds" in kinds and not explorer.is_still:
        yield "Seeds", True, seeds.plane
    if "examples" in kinds:
        yield "Examples of the data", "seeds" not in kinds, starts.examples
    if "images" in kinds:
        yield "Images of yours" if explorer.is_stylization else "An image of yours", "seeds" not in kinds, starts.images
    if "codes" in kinds and "images" not in kinds:
        yield "An image of yours, projected", False, starts.projected
    yield "Settings", True, settings.settings
    if explorer.codebook:
        yield "Codes", True, codes.edits
    if explorer.latents == 2:
        yield "Plane of both latents", True, seeds.manifold
    if explorer.encodes:
        yield "Neighbors in the data", False, neighbors.nearest
    if explorer.latents:
        yield "Principal directions", True, moves.directions
        yield "Latents", False, moves.latents
    if explorer.has_styles:
        yield "Styles of another seed", False, moves.mixing


def inputs(tab: Tab) -> None:
    """The images that a request starts from, under the image that was made of them."""
    ui, shown = tab.ui, {}
    with ui.row().classes("items-end gap-2") as row:
        pass
    row.set_visibility(False)

    async def follow():
        request = tab.request
        starts = request.examples or request.images
        if shown.get("starts") == starts:
            return
        shown["starts"] = starts
        images = await tab.attempt(tab.explorer.inputs, request)
        if shown["starts"] != starts:
            return
        row.clear()
        row.set_visibility(bool(images))
        names = ("Content", "Style") if tab.explorer.is_stylization else ("Input", "Toward")
        with row:
            for name, x in zip(names, images or [], strict=False):
                with ui.column().classes("gap-0"):
                    ui.element("img").classes("input").props(f'alt="{name}" src={pads.address(pads.png(x))}')
                    ui.label(name).classes("caption")

    if "images" in tab.explorer.kinds and not tab.explorer.is_translation:
        tab.watchers.append(lambda: tab.soon(follow))
