"""The page of every kind of run in a browser: what its controls do, at desktop and phone width.

Skipped without NiceGUI, playwright or a Chromium. One process serves runs with random weights (desk.py).
"""

import io

import numpy as np
import pytest
from browsing import (
    BROWSER,
    PHONE,
    changed,
    chromium,
    drag,
    fits,
    free_port,
    opened,
    press,
    says,
    serving,
    shot,
    unfold,
)
from desk import RUNS
from helpers import ROOT
from PIL import Image

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not BROWSER, reason="no Chromium")]


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("desk")
    port = free_port()
    with serving(folder, port, str(ROOT / "tests/desk.py"), "runs", str(port), *RUNS) as address:
        yield address


@pytest.fixture(scope="module")
def browser(desk):
    with chromium() as browser:
        yield browser


@pytest.fixture
def at(desk, browser):
    """Opens the page of a kind of run."""

    def at(name, **options):
        return opened(browser, f"{desk}/{name}", **options)

    return at


def image_file(size: tuple[int, int] = (40, 48), mode: str = "RGB") -> dict:
    """An image as a file for a field."""
    rng = np.random.default_rng(0)
    small = Image.fromarray(rng.integers(0, 256, (6, 6, 3), np.uint8))
    content = io.BytesIO()
    small.resize(size, Image.BICUBIC).convert(mode).save(content, "PNG")
    return {"name": "mine.png", "mimeType": "image/png", "buffer": content.getvalue()}


def give(page, number: int, file: dict) -> None:
    page.locator(f"#upload{number} input[type=file]").set_input_files(file)


def choose(page, selector: str, name: str) -> None:
    """Choose an entry of a list."""
    page.locator(selector).click()
    page.get_by_role("option", name=name, exact=True).click()


@pytest.mark.parametrize("name", RUNS)
def test_a_phone_shows_each_kind_without_scrolling_sideways(at, name):
    with at(name, viewport=PHONE, has_touch=True, is_mobile=True) as page:
        page.wait_for_timeout(500)
        box = page.locator("#image").bounding_box()
        assert fits(page)
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
        assert box["y"] + box["height"] < PHONE["height"] / 2 + 50


def test_a_generator(at):
    with at("gan") as page:
        page.locator("#plane img[src]").wait_for()
        drag(page, "#plane", (0.3, 0.3), (0.4, 0.4))
        says(page, "--seeds=6,7,11,12 --at=0.5,0.5")
        press(page, "p1", "ArrowRight", 3)
        says(page, "--moves=p1:0.15")
        unfold(page, "Latents")
        press(page, "z2", "ArrowLeft", 2)
        says(page, "--moves=p1:0.15,z2:-0.1")
        page.get_by_role("button", name="p1: 0").click()
        says(page, "--moves=z2:-0.1")
        press(page, "checkpoint", "ArrowLeft")
        says(page, "--step=7")
        says(page, "Checkpoint: step 7", "#step")
        says(page, "step 9 of 10", "#going")
        page.locator("#truncate").click()
        says(page, "--truncation=0.7")
        shot(page, "gan")


def test_classes(at):
    with at("classes") as page:
        choose(page, "#label", "Bag")
        says(page, "--label=8")
        page.get_by_label("First seed").fill("30")
        says(page, "--seeds=30")
        shot(page, "classes")


def test_styles_noise_mixing_and_a_film(at):
    with at("stylegan") as page:
        unfold(page, "Styles of another seed")
        page.locator("#mix").click()
        says(page, "--mix=1@4-9")
        page.get_by_label("Seed", exact=True).fill("3")
        says(page, "--mix=3@4-9")
        page.locator("#noise").get_by_role("button", name="none").click()
        says(page, "--noise=none")
        choose_blend = page.get_by_label("Blending")
        choose_blend.click()
        page.get_by_role("option", name="spherical").click()
        says(page, "--blend=slerp")
        shot(page, "stylegan")
        page.locator("#add").click()
        press(page, "p0", "ArrowRight", 10)
        says(page, "--moves=p0")
        page.locator("#add").click()
        names = []
        page.on("download", lambda download: names.append(download.suggested_filename.rpartition(".")[2]))
        page.locator("#film").click()
        says(page, "--film=")
        page.wait_for_timeout(1500)
        assert sorted(names) == ["gif", "json"]


def test_an_image_is_projected_and_edited(at):
    with at("stylegan") as page:
        unfold(page, "An image of yours, projected")
        page.get_by_label("Steps of the descent", exact=True).fill("2")
        changed(page, lambda: give(page, 0, image_file()))
        says(page, "--codes=explored/")
        press(page, "p0", "ArrowRight", 4)
        says(page, "--moves=p0:0.2")
        shot(page, "projected")


def test_a_vae_has_examples_neighbors_and_the_plane_of_both_latents(at):
    with at("vae") as page:
        unfold(page, "Examples of the data")
        page.get_by_label("Example", exact=True).fill("3")
        says(page, "--examples=3")
        page.get_by_label("Toward another", exact=True).fill("5")
        says(page, "--examples=3,5 --at=0.5")
        unfold(page, "Neighbors in the data")
        page.locator("#nearest").click()
        page.locator("#neighbors .tile").nth(7).wait_for()
        shot(page, "vae")
        page.locator("#neighbors .tile").first.click()
        page.wait_for_function("!document.querySelector('#command').innerText.includes('--at')")
        page.locator("#manifold img[src]").wait_for()
        drag(page, "#manifold", (0.5, 0.5), (0.75, 0.25))
        says(page, "--moves=z0:")


def test_an_autoencoder_takes_images(at):
    with at("autoencoder") as page:
        page.locator("img[alt=Input]").wait_for()
        changed(page, lambda: give(page, 0, image_file()))
        says(page, "--images=explored/")
        press(page, "p0", "ArrowRight", 3)
        says(page, "--moves=p0:0.15")
        changed(page, lambda: give(page, 1, image_file((50, 50), "L")))
        says(page, "--at=1")
        page.locator("img[alt=Toward]").wait_for()
        press(page, "Way to the other: images", "ArrowLeft", 5)
        says(page, "--at=0.95")
        shot(page, "autoencoder")


def test_codes_are_edited_by_a_click_and_a_slider(at):
    with at("codes") as page:
        page.locator("#codes img[src]").wait_for()
        says(page, "Row 0, column 0: code", "#code")
        drag(page, "#codes", (0.5, 0.99))
        says(page, "Row 6, column 3: code", "#code")
        before = int(page.locator("#code").inner_text().split()[5])
        key, after = ("ArrowLeft", before - 2) if before > 9 else ("ArrowRight", before + 2)
        press(page, "code", key, 2)
        says(page, f"--edits=6-3:{after}")
        says(page, f"Row 6, column 3: code {after}", "#code")
        shot(page, "codes")
        page.locator("#undo").click()
        page.wait_for_function("!document.querySelector('#command').innerText.includes('--edits')")
        changed(page, lambda: give(page, 0, image_file()))
        says(page, "--images=explored/")


def test_a_paired_translation(at):
    with at("paired") as page:
        page.get_by_label("Example", exact=True).fill("2")
        says(page, "--examples=2")
        shot(page, "paired")
        changed(page, lambda: give(page, 0, image_file((300, 400))))
        says(page, "--images=explored/")
        width, height = page.evaluate("(({naturalWidth, naturalHeight}) => [naturalWidth, naturalHeight])(image)")
        assert (width, height) == (2 * 192, 256)


def test_an_unpaired_translation_goes_both_ways(at):
    with at("unpaired") as page:
        changed(page, lambda: page.locator("#to").get_by_role("button", name="B to A").click())
        says(page, "--to=a")
        changed(page, lambda: give(page, 0, image_file()))
        says(page, "--to=a")
        shot(page, "unpaired")


def test_a_content_in_a_style(at):
    with at("painter") as page:
        press(page, "Strength of the style: examples", "ArrowLeft", 10)
        says(page, "--examples=0,0 --at=0.9")
        shot(page, "painter_examples")
        give(page, 0, image_file((64, 64)))
        says(page, "choose a style", "#message")
        changed(page, lambda: give(page, 1, image_file((80, 60))))
        says(page, "--images=explored/")
        shot(page, "painter")


def test_the_image_of_a_descent(at):
    with at("descent") as page:
        press(page, "checkpoint", "ArrowLeft")
        says(page, "--step=7")
        shot(page, "descent")
