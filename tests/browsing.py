"""What tests of the page in a browser share: Chromium, a page with its first image drawn, presses, and screenshots.

`pip install nicegui playwright` and a Chromium of the system are what they need. PAGE_SHOTS=folder keeps screenshots.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from helpers import ROOT, until

BROWSER = next(filter(shutil.which, ("chromium", "chromium-browser", "google-chrome")), None)
PATIENCE = 120_000  # milliseconds, on a machine that is busy with others
DRAWN = "document.querySelector('#image')?.getAttribute('src')?.startsWith('data:')"
PHONE = {"width": 390, "height": 844}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def serving(folder: Path, port: int, *words: str):
    """The address of a Python program that serves pages, run in a folder."""
    pytest.importorskip("nicegui")
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
    environment.pop("PYTEST_CURRENT_TEST", None)  # NiceGUI would take itself for the object of a test of its own
    with open(folder / "log", "w") as log:
        process = subprocess.Popen([sys.executable, *words], cwd=folder, env=environment, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: process.poll() is not None or listens(port), 600)
        assert process.poll() is None, (folder / "log").read_text()
        yield address
    finally:
        process.terminate()
        process.wait(30)


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5):
        return True
    return False


def answers(address: str, **headers: str) -> bool:
    try:
        return urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=30).status == 200
    except (urllib.error.HTTPError, OSError):
        return False


@contextlib.contextmanager
def chromium():
    """A browser."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=shutil.which(BROWSER), args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@contextlib.contextmanager
def opened(browser, address: str, **options):
    """A page with its first image drawn; a request to another address and an error of a script fail the test."""
    elsewhere, errors = [], []
    page = browser.new_page(**{"viewport": {"width": 1280, "height": 900}} | options)
    page.set_default_timeout(PATIENCE)
    host = "/".join(address.split("/")[:3])
    allowed = (host, host.replace("http", "ws"), "data:", "blob:")
    page.on("request", lambda r: elsewhere.append(r.url) if not r.url.startswith(allowed) else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address, timeout=PATIENCE)
    page.wait_for_function(DRAWN)
    yield page
    page.close()
    assert not elsewhere
    assert not errors


def command(page) -> str:
    return page.locator("#command").inner_text()


def says(page, text: str, selector: str = "#command") -> None:
    """Wait until an element has a text."""
    condition = "([selector, text]) => document.querySelector(selector)?.innerText.includes(text)"
    page.wait_for_function(condition, arg=[selector, text])


def changed(page, act, selector: str = "#image") -> str:
    """The command after an action has changed the image, or what another element shows."""
    before = page.locator(selector).get_attribute("src")
    act()
    condition = "([selector, before]) => document.querySelector(selector).getAttribute('src') !== before"
    page.wait_for_function(condition, arg=[selector, before])
    return command(page)


def press(page, name: str, key: str, times: int = 1) -> None:
    """Press a key on a slider."""
    slider = page.get_by_role("slider", name=name, exact=True)
    slider.evaluate("e => (e.querySelector('[tabindex]') || e).focus()")
    for _ in range(times):
        page.keyboard.press(key)


def unfold(page, title: str) -> None:
    """Open a panel."""
    page.locator(".q-expansion-item").filter(has=page.get_by_text(title, exact=True)).locator(".q-item").first.click()
    page.wait_for_timeout(400)


def drag(page, selector: str, *places: tuple[float, float]) -> None:
    """Drag over a square, by shares of its sides."""
    page.locator(selector).scroll_into_view_if_needed()
    box = page.locator(selector).bounding_box()
    for number, (x, y) in enumerate(places):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=3 if number else 1)
        if not number:
            page.mouse.down()
    page.mouse.up()


def fits(page) -> bool:
    """Whether nothing is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def shot(page, name: str) -> None:
    """Keep screenshots at desktop and phone width, of a window as high as its panels."""
    if folder := os.environ.get("PAGE_SHOTS"):
        for kind, width in (("desktop", 1280), ("phone", PHONE["width"])):
            page.set_viewport_size({"width": width, "height": 2000})
            page.wait_for_timeout(800)
            page.screenshot(path=Path(folder) / f"{name}_{kind}.png", full_page=True)
        page.set_viewport_size({"width": 1280, "height": 900})
