"""Time from a change to its image on the page: python -m experiments.benchmarks.explore --workdir=runs/x

Starts genjax.explore on a free port and opens it in a headless Chromium, with the extras explore and browser. A turn is
a number of key presses on the slider of a direction, and of moves of the pointer over the plane of seeds, each followed
by the wait until the new image is decoded in the browser. A change without a new image within 5 seconds is counted as
lost. On a machine with other work the turns differ; the quietest is the one with the lowest median.
Linux alone.
"""

import contextlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from statistics import median

from absl import flags

from genjax.cli import entry
from genjax.cli.flags import define_path
from genjax.errors import InputError, optional
from genjax.text import table

FLAGS = flags.FLAGS

WATCH = """() => {
  window.times = [];
  window.loaded = 0;
  let start = null;
  const begin = () => { start = performance.now(); };
  document.addEventListener('keydown', begin, true);
  document.querySelector('#plane').addEventListener('pointermove', begin, true);
  document.querySelector('#image').addEventListener('load', () => {
    window.loaded = performance.now();
    if (start !== null) { window.times.push(window.loaded - start); start = null; }
  });
}"""
"""The browser's part: the time from an event to the load of the image that follows."""

STILL = "() => performance.now() - window.loaded > 300"
"""Whether no image has come for a while, so that the next one is the next change's."""


def define_flags() -> None:
    """The flags of this entry point."""
    define_path("workdir", None, "The run's folder.", required=True)
    flags.DEFINE_integer("turns", 5, "Number of turns.", lower_bound=1)
    flags.DEFINE_integer("count", 40, "Changes per turn and control.", lower_bound=2)


@contextlib.contextmanager
def serving(workdir: str):
    """The address of the page in a process of its own."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    program = [sys.executable, "-m", "genjax.explore", f"--workdir={workdir}", f"--port={port}", "--noopen"]
    process = subprocess.Popen(program, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        while True:
            if process.poll() is not None:
                raise InputError(f"the page of {workdir} did not start")
            with contextlib.suppress(OSError):
                urllib.request.urlopen(address, timeout=30)
                break
            time.sleep(0.5)
        yield address
    finally:
        process.terminate()
        process.wait()


def measure(page, count: int) -> dict[str, list[float]]:
    """Milliseconds of one turn by control."""
    taken = {}
    slider = page.get_by_role("slider", name="p0", exact=True)
    slider.evaluate("e => (e.querySelector('[tabindex]') || e).focus()")
    plane = page.locator("#plane")

    def press(number):
        page.keyboard.press("ArrowRight" if number % 20 < 10 else "ArrowLeft")

    def move(number):
        across, down = 0.15 + 0.7 * number / count, 0.2 + 0.6 * (number * 7 % count) / count
        page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])

    for name, act in (("slider", press), ("drag over the plane", move)):
        if act is move:
            plane.scroll_into_view_if_needed()  # the slider's focus may have scrolled it away
            box = plane.bounding_box()
            page.mouse.move(box["x"] + 5, box["y"] + 5)
            page.mouse.down()
        page.wait_for_timeout(300)
        page.wait_for_function(STILL)
        page.evaluate("window.times = []")
        for number in range(count):
            before = page.evaluate("window.times.length")
            act(number)
            condition = "before => window.times.length > before"
            with contextlib.suppress(Exception):
                page.wait_for_function(condition, arg=before, timeout=5000, polling=5)
        page.mouse.up()
        taken[name] = sorted(page.evaluate("window.times"))
    return taken


def main() -> None:
    """Print the medians and 95th percentiles of all turns."""
    playwright = optional("playwright.sync_api", "this benchmark")
    browser = next(filter(shutil.which, ("chromium", "chromium-browser", "google-chrome")), None)
    if browser is None:
        raise InputError("no Chromium is installed")
    rows = []
    with serving(FLAGS.workdir) as address, playwright.sync_playwright() as p:
        options = {"executable_path": shutil.which(browser), "args": ["--no-sandbox", "--disable-gpu"]}
        page = p.chromium.launch(**options).new_page()
        page.set_default_timeout(300_000)
        page.goto(address)
        for selector in ("#image", "#plane img"):
            page.wait_for_function("s => document.querySelector(s)?.getAttribute('src')", arg=selector)
        page.evaluate(WATCH)
        measure(page, 4)  # compiles
        for turn in range(FLAGS.turns):
            for name, times in measure(page, FLAGS.count).items():
                lost = FLAGS.count - len(times)
                rows.append((turn + 1, name, len(times), lost, median(times), times[int(0.95 * (len(times) - 1))]))
                print(*rows[-1], flush=True)
    print(table(rows, ("turn", "control", "images", "lost", "median, ms", "95th percentile, ms")))


if __name__ == "__main__":
    define_flags()
    entry.run(main)
