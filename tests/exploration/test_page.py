"""The page in a browser: what a drag, a slider, an upload and a button do, and its messages (all kinds: desk.py).

Skipped without NiceGUI, playwright or a Chromium.
"""

import json
import shlex
import shutil
from pathlib import Path

import pytest
from browsing import (
    BROWSER,
    PHONE,
    answers,
    changed,
    chromium,
    command,
    drag,
    fits,
    free_port,
    opened,
    press,
    says,
    serving,
)
from helpers import run, saved_run, until

pytestmark = [pytest.mark.heavy, pytest.mark.skipif(not BROWSER, reason="no Chromium")]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of the page of an autoencoder with a prior, the folder that it runs in, and the run's."""
    folder = tmp_path_factory.mktemp("page")
    workdir = saved_run("vae", folder / "run", steps=10)
    port = free_port()
    flags = [f"--workdir={workdir}", f"--port={port}", "--noopen", "--seeds=2"]
    with serving(folder, port, "-m", "genjax.explore", *flags) as address:
        yield address, folder, workdir


@pytest.fixture(scope="module")
def browser(server):
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(server, browser):
    """The page, with its first image drawn."""
    with opened(browser, server[0]) as page:
        yield page


def test_a_drag_and_a_slider_change_the_image_which_is_saved_with_its_command(page, server, tmp_path):
    _, _, workdir = server
    assert "--seeds=2 " in command(page)
    page.locator("#plane img[src]").wait_for()
    drag(page, "#plane", (0.2, 0.2), (0.4, 0.4))
    says(page, "--seeds=8,9,13,14 --at=0.5,0.5")
    assert "--moves=p0:" in changed(page, lambda: press(page, "p0", "ArrowRight", 8))
    says(page, "--moves=p0:0.4")
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


def test_each_move_of_a_drag_is_drawn_even_over_a_page_that_is_selected(page):
    page.locator("#plane img[src]").wait_for()
    page.evaluate(
        "getSelection().selectAllChildren(document.body)"
    )  # which a browser would drag in the pointer's place
    page.locator("#plane").scroll_into_view_if_needed()
    box = page.locator("#plane").bounding_box()
    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 0.1 * box["height"])
    page.mouse.down()
    for across, text in ((0.2, "0.5"), (0.25, "0.75"), (0.225, "0.625")):
        page.mouse.move(box["x"] + across * box["width"], box["y"] + 0.2 * box["height"])
        says(page, f"--at={text},0.5")
    page.mouse.up()


def test_a_film_of_two_images_is_saved_with_its_file(page):
    page.locator("#add").click()
    changed(page, lambda: press(page, "p1", "ArrowLeft", 20))
    says(page, "--moves=p1:-1")
    page.locator("#add").click()
    names = []
    page.on("download", lambda download: names.append(download.suggested_filename))
    page.locator("#film").click()
    says(page, "--film=")
    until(lambda: page.wait_for_timeout(100) or len(names) == 2)
    assert sorted(Path(name).suffix for name in names) == [".gif", ".json"]


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("notes.txt", b"text", "expected an image of up to 32 MiB"),
        ("mine.png", b"text", "mine.png (not an image that Pillow reads)"),
    ],
)
def test_an_upload_that_is_no_image_is_a_message(page, name, content, text, server):
    before = command(page)
    upload = page.locator("#upload0 input[type=file]")
    upload.set_input_files(
        {"name": name, "mimeType": "text/plain" if "txt" in name else "image/png", "buffer": content}
    )
    says(page, text, "#message")
    assert command(page) == before
    assert not list((server[1] / "explored").glob("*"))


def test_a_run_that_is_still_training_says_so_and_its_new_checkpoints_are_on_the_slider(page, server):
    says(page, "The run is at step 7 of 10", "#going")
    checkpoints = server[2] / "checkpoints"
    shutil.copytree(checkpoints / "00000007", checkpoints / "00000008")
    try:
        says(page, "The run is at step 8 of 10", "#going")
        says(page, "Checkpoint: step 7", "#step")
        press(page, "checkpoint", "ArrowRight")
        says(page, "--step=8")
    finally:
        shutil.rmtree(checkpoints / "00000008")
    press(page, "p0", "ArrowRight")
    says(page, "--moves=p0:0.05")  # of a state that is in memory
    says(page, "The run is at step 7 of 10", "#going")
    says(page, "--step=7")


def test_a_checkpoint_that_is_gone_is_a_message(page, server):
    checkpoints = server[2] / "checkpoints"
    shutil.copytree(checkpoints / "00000007", checkpoints / "00000006")
    says(page, "step 7", "#step")
    page.wait_for_function("document.querySelector('[aria-label=checkpoint]').getAttribute('aria-disabled') !== 'true'")
    shutil.rmtree(checkpoints / "00000006")
    press(page, "checkpoint", "ArrowLeft")
    says(page, "no checkpoint of step 6; it has 7", "#message")


def test_a_phone_shows_the_image_first_and_scrolls_down_alone(page):
    page.set_viewport_size(PHONE)
    page.wait_for_timeout(500)
    box = page.locator("#image").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]
    assert box["y"] + box["height"] < PHONE["height"]
    assert fits(page)


def test_a_page_of_another_site_is_refused(server):
    address, *_ = server
    assert answers(address)
    assert not answers(address, Host="evil.example")


def test_a_port_that_is_taken_is_refused_in_a_line(server):
    address, _, workdir = server
    port = address.rpartition(":")[2]
    run("genjax.explore", f"--workdir={workdir}", f"--port={port}").assert_refused(f"--port={port} cannot be used")


def test_a_run_of_another_version_and_one_without_a_checkpoint_are_refused_in_a_line(server, tmp_path):
    info = json.loads((server[2] / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(info))
    run("genjax.explore", f"--workdir={tmp_path}").assert_refused("has no checkpoint yet")
    info["config"]["forgotten"] = 1
    (tmp_path / "config.json").write_text(json.dumps(info))
    run("genjax.explore", f"--workdir={tmp_path}").assert_refused("has keys that the task 'vae' lacks: forgotten")
