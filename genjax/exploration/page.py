"""The page of genjax.explore: controls that change a request, and its image, drawn again at each change.

Every tab of a browser has a request of its own. Images are made one at a time, in a thread; a change that comes while
one is made waits, and of several only the last is drawn. This module alone imports NiceGUI, when a page is served.
"""

import asyncio
import base64
import hashlib
import json
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from genjax import files
from genjax.config import NOISE
from genjax.errors import InputError, optional
from genjax.exploration import film
from genjax.exploration.explorer import Explorer
from genjax.exploration.request import BLENDS, Edit, Layers, Mix, Move, Request, to_json
from genjax.report import display

SIDE = 5  # seeds along a side of the plane
MANIFOLD = 10  # images along a side of the plane of two latents
NEIGHBORS = 6  # nearest examples that are shown
SHOWN = 8  # sliders of directions at a time
REACH = 3.0  # of a slider, both ways
THROTTLE = 0.02  # seconds between the positions that a drag sends
RECONNECT = 60.0  # seconds that a tab's request outlives a lost connection, as of a machine that is busy
LARGEST = 2**25  # bytes of an upload
LOOPBACK = ("127.0.0.1", "localhost", "::1")

DRAG = """(e) => { if (e.type === 'pointerdown') e.currentTarget.setPointerCapture(e.pointerId);
    if (e.buttons === 0) return; const box = e.currentTarget.getBoundingClientRect();
    emit((e.clientX - box.left) / box.width, (e.clientY - box.top) / box.height); }"""

STYLE = """
.desk { display: flex; flex-direction: column; align-items: center; gap: .75rem; width: 100%; }
.stage { position: sticky; top: 0; z-index: 5; width: 100%; text-align: center; padding: .4rem 0; background: #fff; }
.body--dark .stage { background: #121212; }
.image { display: inline-block; width: min(92vw, 38vh); image-rendering: pixelated; background: #8882; }
@media (min-width: 56rem) {
  .desk { display: grid; grid-template: "stage controls" auto "actions controls" 1fr / 26rem 27rem; column-gap: 2rem;
    justify-content: center; align-items: start; }
  .stage { grid-area: stage; position: static; text-align: left; padding: 0; }
  .image { width: 26rem; max-width: 70vh; }
  .actions { grid-area: actions; }
  .controls { grid-area: controls; max-height: calc(100vh - 2rem); overflow-y: auto; }
}
.plane { position: relative; width: min(92vw, 20rem); aspect-ratio: 1; touch-action: none; cursor: crosshair; }
.plane img { width: 100%; height: 100%; image-rendering: pixelated; pointer-events: none; user-select: none; }
.plane .spot { position: absolute; width: 18px; height: 18px; margin: -9px 0 0 -9px; border-radius: 50%;
  border: 3px solid #d95f28; box-shadow: 0 0 0 2px #fff; pointer-events: none; }
.strip { width: 100%; image-rendering: pixelated; }
.command { font: 12px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; padding: .5rem .7rem; border-radius: 6px;
  background: #8882; user-select: all; max-width: min(92vw, 26rem); }
.panel { width: min(92vw, 26rem); }
"""


def check_port(host: str, port: int) -> None:
    """Refuse an address that cannot be listened on. Raises: InputError."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
    except OSError as error:
        raise InputError(f"--host={host} --port={port} cannot be used ({error}): choose another --port") from error


def serve(explorer: Explorer, request: Request, host: str, port: int, show: bool, uploads: str) -> None:
    """Serve the page until Ctrl-C, beginning at a request. Raises: InputError where NiceGUI is not installed."""
    nicegui = optional("nicegui", "the page")
    steps = explorer.steps()
    if steps and not isinstance(request.step, int):  # a run that goes on has another newest step later
        request = replace(request, step=int(explorer.state(request.step).step))
    request = explorer.checked(request)
    lock = threading.Lock()

    @nicegui.ui.page("/")
    def index():
        Page(nicegui.ui, nicegui.run.io_bound, explorer, lock, request, Path(uploads)).build()

    if host in LOOPBACK:  # a page of another site that resolves its name to this machine is refused
        from starlette.middleware.trustedhost import TrustedHostMiddleware

        nicegui.app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK[:2], "[::1]"])
    print(f"look at: http://{host}:{port}\nCtrl-C ends it", flush=True)
    options = {
        "reload": False,
        "show": show,
        "show_welcome_message": False,
        "dark": None,
        "reconnect_timeout": RECONNECT,
    }
    nicegui.ui.run(host=host, port=port, title=f"{explorer.workdir.name} - genjax", **options)


class Page:
    """One tab: its request, and the controls that change it."""

    def __init__(self, ui, in_thread: Callable, explorer: Explorer, lock, request: Request, uploads: Path):
        self.ui = ui
        self.in_thread = in_thread
        self.explorer = explorer
        self.lock = lock
        self.request = request
        self.uploads = uploads
        self.stations: list[Request] = []
        self.first = 0  # seed of the plane
        self.layers = Layers()  # of moves along principal directions
        self.from_latent = 0  # of the sliders
        self.wanted: Request | None = None
        self.drawing = False

    # Drawing

    def change(self, **changes) -> None:
        """Change the request and draw it."""
        try:
            self.want(replace(self.request, **changes))
        except InputError as error:
            self.say(str(error))

    def want(self, request: Request) -> None:
        """Draw a request, after the one that is being drawn."""
        self.request = self.wanted = request
        if not self.drawing:
            self.drawing = True
            self.task = asyncio.ensure_future(self._draw())

    async def _draw(self) -> None:
        try:
            while (request := self.wanted) is not None:
                self.wanted = None
                try:
                    content = await self.in_thread(self._png, request)
                except InputError as error:  # a checkpoint that is gone, examples that are missing
                    self.say(str(error))
                    continue
                self.say("")
                self.image.props["src"] = _address(content)
                self.image.update()
                self.command.set_text(request.command(str(self.explorer.workdir), self.name(request)))
        finally:
            self.drawing = False

    def _png(self, request: Request) -> bytes:
        with self.lock:
            return display.png(display.shown(self.explorer.image(request)))

    def _file(self, request: Request) -> bytes:
        with self.lock:
            return display.file_of(self.explorer.image(request))[1]

    def say(self, text: str) -> None:
        """Show a message, or none."""
        self.message.set_text(text)
        self.message.set_visibility(bool(text))

    def name(self, request: Request) -> str:
        """The file's name of a request's image: equal requests have equal names."""
        digest = hashlib.sha256(json.dumps(to_json(request), sort_keys=True).encode()).hexdigest()[:8]
        return f"{self.explorer.workdir.name}_{digest}.png"

    # Building

    def build(self) -> None:
        """Build the controls."""
        ui, explorer = self.ui, self.explorer
        ui.add_css(STYLE)
        ui.colors(primary="#2a6db4")
        with ui.element("div").classes("desk"):
            with ui.element("div").classes("stage"):
                self.image = ui.element("img").classes("image").props('id=image alt="the image of the request"')
            with ui.column().classes("actions gap-2"):
                self.message = ui.label().classes("text-red-600 panel").props('id=message role="status"')
                with ui.row().classes("gap-2"):
                    ui.button("Save image", on_click=self._save).props("id=save")
                    if "translate" not in explorer.outputs:
                        ui.button("Add to film", on_click=self._add).props("outline id=add")
                    self.film = ui.button("Save film", on_click=self._save_film).props("outline id=film")
                    self.film.set_visibility(False)
                self.command = ui.label().classes("command").props("id=command")
                info = explorer.info
                ui.label(f"{explorer.workdir.name}: {info['config']['task']} of {info['data']['name']}")
            with ui.column().classes("controls gap-3"):
                self._starts()
                self._settings()
                if explorer.latents == 2:
                    with self._panel("Plane of both latents"):
                        self._manifold()
                if {"encode", "decode"} <= explorer.outputs.keys():
                    with self._panel("Neighbors in the data", is_open=False):
                        self._neighbors()
                if explorer.latents:
                    self._directions()
                if explorer.has_styles:
                    self._mixing()
                if explorer.codebook:
                    self._edits()
        ui.timer(0, lambda: self.want(self.request), once=True)

    def _panel(self, title: str, is_open: bool = True):
        return self.ui.expansion(title, value=is_open).classes("panel").props("dense header-class=text-bold")

    def _starts(self) -> None:
        ui, kinds = self.ui, self.explorer.kinds
        if "seeds" in kinds:
            with self._panel("Seeds"):
                self._plane()
        if "examples" in kinds:
            with self._panel("Examples of the data", "seeds" not in kinds):
                ui.number("Example", value=0, min=0, precision=0, on_change=self._example).props("id=example dense")
                ui.number("Toward another", min=0, precision=0, on_change=self._example_toward).props("dense")
                ui.slider(min=0, max=1, step=0.01, value=0, on_change=self._toward).props('aria-label="toward"')
        if "images" in kinds:
            with self._panel("An image of yours", "seeds" not in kinds):
                self._file_chooser(0, "Choose a content" if "pixels" in self.explorer.outputs else "Choose an image")
                if "translate" not in self.explorer.outputs:
                    another = "Choose a style" if "pixels" in self.explorer.outputs else "Toward another image"
                    self._file_chooser(1, another)
                    ui.slider(min=0, max=1, step=0.01, value=1, on_change=self._toward).props(
                        'aria-label="to the other"'
                    )

    def _pad(self, name: str, on_point: Callable[[float, float], None]):
        """A square to drag over, its image and its spot; `on_point` gets the shares of its sides."""
        ui = self.ui
        with ui.element("div").classes("plane").props(f'id={name} aria-label="{name}"') as pad:
            image = ui.element("img").props('alt="" draggable=false')
            spot = ui.element("div").classes("spot")

        def dragged(event):
            x, y = (min(max(float(part), 0.0), 1.0) for part in event.args)
            spot.style(f"left: {100 * x:.2f}%; top: {100 * y:.2f}%")
            on_point(x, y)

        for event in ("pointerdown", "pointermove"):
            pad.on(event, dragged, js_handler=DRAG, throttle=THROTTLE)
        return image, spot

    async def _fill(self, image, requests: Callable[[], list[Request]], columns: int) -> None:
        """Show the images of requests side by side in an element."""
        from genjax.report.figures import grid

        def draw():
            import numpy as np

            images = []
            for request in requests():
                with self.lock:
                    images.append(self.explorer.image(request))
            return display.png(np.atleast_3d(np.asarray(grid(np.stack(images), columns, pad=0, scale=1))))

        try:
            image.props["src"] = _address(await self.in_thread(draw))
            image.update()
        except InputError as error:
            self.say(str(error))

    def _plane(self) -> None:
        ui = self.ui
        self.plane_image, self.spot = self._pad("plane", lambda x, y: self._choose(*place(x, y, self.first)))
        self.spot.style(f"left: {50 / SIDE}%; top: {50 / SIDE}%")
        with ui.row().classes("items-center gap-2"):
            ui.button(icon="navigate_before", on_click=lambda: self._turn(-1)).props('flat dense aria-label="back"')
            self.first_seed = ui.number("First seed", value=0, min=0, precision=0, on_change=self._first).props("dense")
            ui.button(icon="navigate_next", on_click=lambda: self._turn(1)).props('flat dense aria-label="next"')
        names = {"": "default", "slerp": "spherical", "lerp": "straight", "w": "straight in w"}
        blends = {name: names[name] for name in BLENDS if name != "w" or self.explorer.has_styles}
        ui.select(
            blends, value=self.request.blend, label="Blending", on_change=lambda e: self.change(blend=e.value)
        ).classes("w-40")
        ui.timer(0.1, self._draw_plane, once=True)

    def _turn(self, pages: int) -> None:
        self.first_seed.set_value(max(0, self.first + pages * SIDE**2))

    async def _first(self, event) -> None:
        self.first = int(event.value or 0)
        self._choose((self.first,), ())
        self.spot.style(f"left: {50 / SIDE}%; top: {50 / SIDE}%")
        await self._draw_plane()

    async def _draw_plane(self) -> None:
        """The images of the plane's seeds, as the request has their class, checkpoint and truncation."""
        plain = replace(self.request, moves=(), mix=None, edits=())
        seeds = range(self.first, self.first + SIDE**2)
        await self._fill(self.plane_image, lambda: [plain.with_starts("seeds", (seed,)) for seed in seeds], SIDE)

    def _manifold(self) -> None:
        """The plane of two latents."""

        def at(x, y):
            with self.lock:
                return self.explorer.at_point(self.request, x, y)

        places = [(index + 0.5) / MANIFOLD for index in range(MANIFOLD)]
        image, spot = self._pad("manifold", lambda x, y: self.want(at(x, y)))
        spot.style("left: 50%; top: 50%")
        fill = partial(self._fill, image, lambda: [at(x, y) for y in places for x in places], MANIFOLD)
        self.ui.timer(0.1, fill, once=True)

    def _neighbors(self) -> None:
        ui = self.ui
        image = ui.element("img").classes("strip").props('id=neighbors alt="the nearest examples"')
        image.set_visibility(False)

        def nearest():
            with self.lock:
                numbers = self.explorer.neighbors(self.request, NEIGHBORS)
                return [self.request.with_starts("examples", (number,)) for number in numbers]

        async def show():
            def plain():
                return [replace(request, moves=(), edits=(), label="") for request in nearest()]

            await self._fill(image, plain, NEIGHBORS)
            image.set_visibility(True)

        ui.button("Nearest examples, reconstructed", on_click=show).props("flat id=nearest")

    def _choose(self, seeds: tuple[int, ...], at: tuple[float, ...]) -> None:
        self.want(self.request.with_starts("seeds", seeds, at))

    def _example(self, event) -> None:
        if event.value is not None:
            rest = self.request.examples[1:2]
            self._start_from("examples", (int(event.value), *rest), self.request.at if rest else ())

    def _example_toward(self, event) -> None:
        first = self.request.examples[:1] or (0,)
        other = () if event.value is None else (int(event.value),)
        self._start_from("examples", first + other, ((self.request.at or (0.5,))[0],) if other else ())

    def _toward(self, event) -> None:
        if len(self.request.starts) == 2:
            self.change(at=(float(event.value),))

    def _start_from(self, kind: str, starts: tuple, at: tuple[float, ...]) -> None:
        try:
            self.want(self.request.with_starts(kind, starts, at))
        except InputError as error:
            self.say(str(error))

    def _file_chooser(self, number: int, label: str) -> None:
        """A field for the first or the second image to start from."""
        ui = self.ui
        options = {"auto_upload": True, "max_file_size": LARGEST, "label": label}
        upload = ui.upload(on_upload=partial(self._upload, number), **options)
        upload.classes("w-full").props(f'id=upload{number} accept="image/*" flat bordered')
        upload.on("rejected", lambda: self.say(f"the file was refused: expected an image of up to {LARGEST >> 20} MiB"))

    async def _upload(self, number: int, event) -> None:
        content = await event.file.read()
        suffix = Path(event.file.name).suffix.lower()
        try:
            path = await self.in_thread(partial(keep, self.uploads, content, suffix, self.explorer.read))
        except InputError as error:
            self.say(str(error).replace(f"{self.uploads}/", ""))
            return
        others = self.request.images[1 - number : 2 - number]
        paths = (*others, str(path)) if number else (str(path), *others)
        self._start_from("images", paths, (1.0,) if len(paths) == 2 else ())

    def _settings(self) -> None:
        ui, explorer = self.ui, self.explorer
        with self._panel("Settings"):
            self.steps = explorer.steps()
            if self.steps:
                self.step_text = ui.label(f"Checkpoint: step {self.request.step:,}")
                with_steps = {"min": 0, "max": len(self.steps) - 1, "step": 1, "value": self._step_index()}
                self.step = ui.slider(**with_steps, on_change=self._step).props('aria-label="checkpoint" markers')
                ui.timer(5.0, self._poll)
            if explorer.has_average:
                ui.switch("Averaged weights", value=self.request.ema, on_change=lambda e: self._redraw(ema=e.value))
            if explorer.classes:
                names = {"": "of the seed", **{str(i): name for i, name in enumerate(explorer.classes)}}
                ui.select(names, value="", label="Class", on_change=lambda e: self._redraw(label=e.value)).props(
                    "id=label"
                ).classes("w-full")
            if "seeds" in explorer.kinds:
                psi = {"min": 0, "max": 1.5} if explorer.has_styles else {"min": 0.1, "max": 3}
                self.truncates = ui.switch("Truncation", value=False, on_change=self._truncation)
                self.psi = ui.slider(**psi, step=0.05, value=0.7, on_change=self._truncation)
                self.psi.props('aria-label="truncation" label').bind_visibility_from(self.truncates, "value")
            if explorer.has_noise:
                ui.label("Noise of the layers")
                ui.toggle(list(NOISE), value=self.request.noise or NOISE[0], on_change=self._noise)

    def _noise(self, event) -> None:
        self.change(noise="" if event.value == NOISE[0] else event.value)

    def _truncation(self) -> None:
        self._redraw(truncation=float(self.psi.value) if self.truncates.value else None)

    def _redraw(self, **changes) -> None:
        """Change what the seeds of the plane depend on as well."""
        self.change(**changes)
        if "seeds" in self.explorer.kinds:
            self.ui.timer(0.3, self._draw_plane, once=True)

    def _step_index(self) -> int:
        return self.steps.index(self.request.step) if self.request.step in self.steps else len(self.steps) - 1

    def _step(self, event) -> None:
        step = self.steps[min(int(event.value), len(self.steps) - 1)]
        self.step_text.set_text(f"Checkpoint: step {step:,}")
        if step != self.request.step:
            self._redraw(step=step)

    def _poll(self) -> None:
        """Follow a run that is still training: its new checkpoints, without those that it has deleted."""
        if (steps := self.explorer.steps()) and steps != self.steps:
            self.steps = steps
            self.step.props["max"] = len(steps) - 1
            self.step.set_value(self._step_index())
            self.step.update()

    def _directions(self) -> None:
        ui, explorer = self.ui, self.explorer
        with self._panel("Principal directions"):
            if explorer.has_styles:
                self._layers_control("Layers that they change", self._move_layers)
            for index in range(min(SHOWN, explorer.latents)):
                self._direction(f"p{index}")
        with self._panel("Latents", is_open=False):

            @ui.refreshable
            def sliders():
                for index in range(self.from_latent, min(self.from_latent + SHOWN, explorer.latents)):
                    self._direction(f"z{index}")

            def turn(event):
                self.from_latent = min(int(event.value or 0), explorer.latents - 1)
                sliders.refresh()

            ui.number("From latent", value=0, min=0, max=explorer.latents - 1, precision=0, on_change=turn).props(
                "dense"
            )
            sliders()

    def _direction(self, name: str) -> None:
        ui = self.ui
        value = next((move.amount for move in self.request.moves if move.direction == name), 0)
        with ui.row().classes("w-full items-center no-wrap gap-3"):
            ui.label(name).classes("w-8")
            slider = ui.slider(min=-REACH, max=REACH, step=0.05, value=value)
            slider.props(f'aria-label="{name}" label').classes("grow")
            slider.on_value_change(partial(self._move, name))
            ui.button(icon="restart_alt", on_click=lambda: slider.set_value(0)).props(
                f'flat dense aria-label="{name}: 0"'
            )

    def _move(self, name: str, event) -> None:
        moves = {move.direction: move for move in self.request.moves}
        amount = round(float(event.value), 4)
        if amount:
            moves[name] = Move(name, amount, self.layers if name[0] == "p" else Layers())
        else:
            moves.pop(name, None)
        self.change(moves=tuple(moves.values()))

    def _layers_control(self, label: str, on_change: Callable[[Layers], None]) -> None:
        last = self.explorer.task.layers - 1

        def changed(event):
            low, high = int(event.value["min"]), int(event.value["max"])
            on_change(Layers() if (low, high) == (0, last) else Layers(low, high))

        self.ui.label(label)
        control = self.ui.range(min=0, max=last, step=1, value={"min": 0, "max": last}, on_change=changed)
        control.props(f'label markers aria-label="{label}"').classes("px-3")

    def _move_layers(self, layers: Layers) -> None:
        self.layers = layers
        self.change(moves=tuple(replace(m, layers=layers) if m.kind == "p" else m for m in self.request.moves))

    def _mixing(self) -> None:
        ui = self.ui
        with self._panel("Styles of another seed", is_open=False):
            last = self.explorer.task.layers - 1
            mix = {"on": self.request.mix is not None, "seed": 1, "layers": Layers(last // 2, last)}

            def changed(**changes):
                mix.update(changes)
                self.change(mix=Mix(mix["seed"], mix["layers"]) if mix["on"] else None)

            ui.switch("Mix", value=mix["on"], on_change=lambda e: changed(on=e.value))
            seed = ui.number("Seed", value=1, min=0, precision=0).props("dense")
            seed.on_value_change(lambda e: changed(seed=int(e.value or 0)))
            ui.label("Layers that take its styles")
            control = ui.range(min=0, max=last, step=1, value={"min": last // 2, "max": last})
            control.on_value_change(lambda e: changed(layers=Layers(int(e.value["min"]), int(e.value["max"]))))
            control.props('label markers aria-label="layers of the mix"').classes("px-3")

    def _edits(self) -> None:
        ui = self.ui
        with self._panel("Codes"):
            numbers = [
                ui.number(name, value=0, min=0, precision=0).props("dense") for name in ("Row", "Column", "Code")
            ]

            def apply():
                edit = Edit(*(int(number.value or 0) for number in numbers))
                rest = [e for e in self.request.edits if (e.row, e.column) != (edit.row, edit.column)]
                self.change(edits=(*rest, edit))

            with ui.row():
                ui.button("Set code", on_click=apply)
                ui.button("Undo all", on_click=lambda: self.change(edits=())).props("flat")

    # Saving

    async def _save(self) -> None:
        request = self.request
        try:
            self.ui.download(await self.in_thread(self._file, request), self.name(request))
        except InputError as error:
            self.say(str(error))

    def _add(self) -> None:
        self.stations.append(self.request)
        self.film.set_text(f"Save film of {len(self.stations)}")
        self.film.set_visibility(len(self.stations) > 1)

    async def _save_film(self) -> None:
        """Save the film and the file that genjax.explore --film makes it of."""
        stations = tuple(self.stations)
        text = film.to_text(stations)
        name = f"{self.explorer.workdir.name}_{hashlib.sha256(text.encode()).hexdigest()[:8]}"

        def draw():
            with self.lock:
                return film.gif_of(self.explorer, stations)

        try:
            content = await self.in_thread(draw)
        except InputError as error:
            self.say(str(error))
            return
        self.ui.download(text.encode(), f"{name}.json")
        self.ui.download(content, f"{name}.gif")
        workdir = self.explorer.workdir
        self.command.set_text(f"python -m genjax.explore --workdir={workdir} --film={name}.json --out={name}.gif")
        self.stations.clear()
        self.film.set_visibility(False)


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


def keep(folder: Path, content: bytes, suffix: str, read: Callable) -> Path:
    """Keep an upload as a file, so that a command can name it. Raises: InputError if it is no image."""
    path = folder / f"{hashlib.sha256(content).hexdigest()[:12]}{suffix if suffix.isascii() else ''}"
    is_new = not path.exists()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_bytes(path, content)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}): choose another --uploads") from error
    try:
        read(str(path))
    except InputError:
        if is_new:
            path.unlink(missing_ok=True)
        raise
    return path


def _address(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode()
