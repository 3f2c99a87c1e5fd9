"""A tab of the browser: its request, which is drawn again at each change.

Images are made one at a time, in a thread. A change that comes while one is made waits, and of several only the last is
drawn. What shows the request, or follows it, watches the tab.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from genjax.errors import InputError
from genjax.exploration.explorer import Explorer
from genjax.exploration.request import Request, to_json
from genjax.report import display


class Tab:
    """A request and what follows from it; `ui` is NiceGUI's, `in_thread` awaits a function of another thread."""

    def __init__(self, ui, in_thread: Callable, explorer: Explorer, lock, request: Request, uploads: Path):
        self.ui = ui
        self.explorer = explorer
        self.request = request
        self.uploads = uploads
        self.watchers: list[Callable[[], object]] = []  # called when the request has changed
        self.show: Callable[[Request, bytes], object] = lambda request, png: None  # shows an image
        self.tell: Callable[[str], object] = lambda text: None  # shows a message, or none
        self._in_thread = in_thread
        self._lock = lock
        self._wanted: Request | None = None
        self._drawing = False
        self._soon: dict[Callable, asyncio.Future] = {}

    def change(self, **changes) -> None:
        """Change the request and draw it."""
        try:
            self.want(replace(self.request, **changes))
        except InputError as error:
            self.tell(str(error))

    def start_from(self, kind: str, starts: tuple, at: tuple[float, ...] = ()) -> None:
        """Draw the request with other starts."""
        try:
            self.want(self.request.with_starts(kind, starts, at))
        except InputError as error:
            self.tell(str(error))

    def want(self, request: Request) -> None:
        """Draw a request, after the one that is being drawn."""
        self.request = self._wanted = request
        for watcher in self.watchers:
            watcher()
        if not self._drawing:
            self._drawing = True
            self._task = asyncio.ensure_future(self._draw())

    async def _draw(self) -> None:
        try:
            while (request := self._wanted) is not None:
                self._wanted = None
                png = await self.attempt(self._png, request)
                if png is not None:
                    self.tell("")
                    self.show(request, png)
        finally:
            self._drawing = False

    def _png(self, request: Request) -> bytes:
        return display.png(display.shown(self.explorer.image(request)))

    async def attempt(self, function: Callable, *args) -> Any:
        """The result of a function that uses the run, in a thread; None, and a message, for what cannot be made.

        What cannot be made: of a checkpoint that is gone, of examples that are missing, of a file that is no image.
        """

        return await self.aside(self.alone, function, *args)

    def alone(self, function: Callable, *args) -> Any:
        """The result of a function that uses the run, which one thread at a time does."""
        with self._lock:
            return function(*args)

    async def aside(self, function: Callable, *args) -> Any:
        """As `attempt`, for what takes long: changes of the request are drawn meanwhile, unless it asks `alone`."""
        try:
            return await self._in_thread(function, *args)
        except InputError as error:
            self.tell(str(error))
            return None

    def soon(self, function: Callable, delay: float = 0.0) -> None:
        """Await a function after a delay, once for all calls until then. Units: seconds."""

        async def later():
            await asyncio.sleep(delay)
            self._soon.pop(function)
            await function()

        if function not in self._soon:
            self._soon[function] = asyncio.ensure_future(later())

    def name(self, request: Request) -> str:
        """The file's name of a request's image: equal requests have equal names."""
        digest = hashlib.sha256(json.dumps(to_json(request), sort_keys=True).encode()).hexdigest()[:8]
        return f"{self.explorer.workdir.name}_{digest}.png"
