"""Serving the page: to this machine alone unless asked, a tab of a browser with a request of its own."""

import socket
import threading
from dataclasses import replace
from pathlib import Path

from genjax.errors import InputError, optional
from genjax.exploration.explorer import Explorer
from genjax.exploration.page import layout
from genjax.exploration.page.tab import Tab
from genjax.exploration.request import Request

RECONNECT = 60.0  # seconds that a tab's request outlives a lost connection, as of a machine that is busy
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def check_port(host: str, port: int) -> None:
    """Refuse an address that cannot be listened on. Raises: InputError."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
    except OSError as error:
        raise InputError(f"--host={host} --port={port} cannot be used ({error}): choose another --port") from error


def add_page(nicegui, path: str, explorer: Explorer, request: Request, uploads: str) -> None:
    """Serve a run under a path of the address, beginning at a request. Raises: InputError for one that does not fit."""
    steps = explorer.steps()
    if steps and not isinstance(request.step, int):  # a run that goes on has another newest step later
        request = replace(request, step=int(explorer.state(request.step).step))
    request = explorer.checked(request)
    lock = threading.Lock()

    @nicegui.ui.page(path)
    def index():
        layout.build(Tab(nicegui.ui, nicegui.run.io_bound, explorer, lock, request, Path(uploads)))


def serve(explorer: Explorer, request: Request, host: str, port: int, show: bool, uploads: str) -> None:
    """Serve the page until Ctrl-C, beginning at a request. Raises: InputError where NiceGUI is not installed."""
    nicegui = optional("nicegui", "the page")
    add_page(nicegui, "/", explorer, request, uploads)
    if host in LOOPBACK:  # a page of another site that resolves its name to this machine is refused
        from starlette.middleware.trustedhost import TrustedHostMiddleware

        nicegui.app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK[:2], "[::1]"])
    print(f"look at: http://{host}:{port}\nCtrl-C ends it", flush=True)
    options = {"reload": False, "show": show, "show_welcome_message": False, "dark": None}
    options |= {"title": f"{explorer.workdir.name} - genjax", "reconnect_timeout": RECONNECT}
    nicegui.ui.run(host=host, port=port, **options)
