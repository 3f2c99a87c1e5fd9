"""The page in a browser: what a drag, a slider, an upload and a button do. Skipped without NiceGUI or a Chromium.

`pip install nicegui playwright` and a Chromium of the system are what it needs. PAGE_SHOTS=folder keeps screenshots.
"""

import os
import shlex
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from helpers import ROOT, run, saved_run, until

BROWSER = next(filter(shutil.which, ("chromium", "chromium-browser", "google-chrome")), None)
PATIENCE = 120_000  # milliseconds, on a machine that is busy with others

pytestmark = [pytest.mark.heavy, pytest.mark.skipif(not BROWSER, reason="no Chromium")]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of the page of a StyleGAN, the folder that it runs in, and the run's."""
    pytest.importorskip("nicegui")
    folder = tmp_path_factory.mktemp("page")
    workdir = saved_run("stylegan2", folder / "run")
    port = free_port()
    flags = [f"--workdir={workdir}", f"--port={port}", "--noopen", "--seeds=2"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    environment.pop("PYTEST_CURRENT_TEST", None)  # NiceGUI would take itself for the object of a test of its own
    with open(folder / "log", "w") as log:
        program = [sys.executable, "-m", "genjax.explore", *flags]
        process = subprocess.Popen(program, cwd=folder, env=environment, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: process.poll() is not None or answers(address), 300)
        assert process.poll() is None, (folder / "log").read_text()
        yield address, folder, workdir
    finally:
        process.terminate()
        process.wait(30)


def answers(address: str, **headers: str) -> bool:
    try:
        return urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=30).status == 200
    except urllib.error.HTTPError:
        return False
    except OSError:
        return False


@pytest.fixture(scope="module")
def browser(server):
    """A browser that has no network but the page's own server."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=shutil.which(BROWSER), args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def page(server, browser):
    """The page, with its first image drawn; a request to any other address fails the test."""
    address, *_ = server
    elsewhere = []
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE)
    page.on("request", lambda r: elsewhere.append(r.url) if not r.url.startswith((address, "data:", "blob:")) else None)
    page.goto(address)
    page.wait_for_function("document.querySelector('#image')?.src.startsWith('data:')", timeout=PATIENCE)
    yield page
    page.close()
    assert not [url for url in elsewhere if not url.startswith(address.replace("http", "ws"))]


def command(page) -> str:
    return page.locator("#command").inner_text()


def says(page, text: str) -> None:
    """Wait until the command has a text."""
    condition = "text => document.querySelector('#command').innerText.includes(text)"
    page.wait_for_function(condition, arg=text, timeout=PATIENCE)


def changed(page, act) -> str:
    """The command after an action has changed the image."""
    before = page.locator("#image").get_attribute("src")
    act()
    page.wait_for_function("before => document.querySelector('#image').src !== before", arg=before, timeout=PATIENCE)
    return command(page)


def shot(page, name: str) -> None:
    if folder := os.environ.get("PAGE_SHOTS"):
        page.wait_for_timeout(1500)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_a_drag_and_a_slider_change_the_image_which_is_saved_with_its_command(page, server, tmp_path):
    _, _, workdir = server
    assert "--seeds=2 " in command(page)
    page.wait_for_function("document.querySelector('#plane img').src.startsWith('data:')", timeout=PATIENCE)

    def drag():
        box = page.locator("#plane").bounding_box()
        page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.2 * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.4 * box["height"], steps=4)
        page.mouse.up()

    assert "--seeds=" in changed(page, drag)
    page.wait_for_function(
        "document.querySelector('#command').innerText.includes('--seeds=6,7,11,12')", timeout=PATIENCE
    )
    slider = page.get_by_role("slider", name="p0", exact=True)
    text = changed(page, lambda: press(slider, "ArrowRight", 8))
    assert "--moves=p0:" in text
    shot(page, "desktop")
    with page.expect_download() as download:
        page.locator("#save").click()
    saved = tmp_path / download.value.suggested_filename
    download.value.save_as(saved)
    words = shlex.split(command(page))
    assert words[-1] == f"--out={saved.name}"
    done = run(words[2], *words[3:-1], f"--out={tmp_path / 'again.png'}")
    assert done.code == 0, done.err
    assert (tmp_path / "again.png").read_bytes() == saved.read_bytes()
    assert f"--workdir={workdir}" in words


def press(slider, key: str, times: int) -> None:
    slider.evaluate("e => (e.querySelector('[tabindex]') || e).focus()")
    for _ in range(times):
        slider.page.keyboard.press(key)


def test_a_film_of_two_images_is_saved_with_its_file(page, tmp_path):
    page.locator("#add").click()
    changed(page, lambda: press(page.get_by_role("slider", name="p1", exact=True), "ArrowLeft", 20))
    page.locator("#add").click()
    names = []
    page.on("download", lambda download: names.append(download.suggested_filename))
    page.locator("#film").click()
    says(page, "--film=")
    until(lambda: page.wait_for_timeout(100) or len(names) == 2)
    assert sorted(Path(name).suffix for name in names) == [".gif", ".json"]


def test_a_phone_shows_the_image_first_and_scrolls_down_alone(page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(500)
    box = page.locator("#image").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert box["y"] + box["height"] < 844
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shot(page, "phone")


def test_a_page_of_another_site_is_refused(server):
    address, *_ = server
    assert answers(address)
    assert not answers(address, Host="evil.example")


def test_a_port_that_is_taken_is_refused_in_a_line(server):
    address, _, workdir = server
    port = address.rpartition(":")[2]
    run("genjax.explore", f"--workdir={workdir}", f"--port={port}").assert_refused(f"--port={port} cannot be used")
