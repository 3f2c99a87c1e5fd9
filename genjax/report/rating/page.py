"""The page of a sheet: one HTML file that works offline, shows the trials in turn, and saves the answers as a file."""

import base64
import json
from collections.abc import Sequence
from string import Template

import numpy as np

from genjax.report.display import png, shown
from genjax.report.page import asset, framed
from genjax.report.rating.key import PAIR, Key

TITLE = "Real or generated?"
LARGE = 128  # pixels of a side from which images are smoothed when they are scaled


def make(key: Key, trials: Sequence[np.ndarray]) -> bytes:
    """The page of a sheet. Shapes: trials uint8 or uint16 [1 or 2, H, W, C] each, in the order of the key's trials."""
    data = {
        "sheet": key.sheet,
        "seed": key.seed,
        "ask": key.ask,
        "seconds": key.seconds,
        "key": key.encoded(),
        "trials": [[base64.b64encode(png(image)).decode() for image in shown(images)] for images in trials],
    }
    question = "Which image is real?" if key.ask == PAIR else "Is this image real?"
    time = ""
    if key.seconds:
        images = "Both are" if key.ask == PAIR else "Each is"
        plural = "" if key.seconds == 1 else "s"
        time = f"{images} shown for {key.seconds:g} second{plural}; take as long as you like to answer."
    body = Template(asset("rating/page.html")).substitute(
        title=TITLE,
        question=question,
        count=len(trials),
        time=time,
        answers=_PAIR if key.ask == PAIR else _ONE,
        data=json.dumps(data, separators=(",", ":")),
        script=asset("rating/page.js"),
    )
    small = max(trials[0].shape[1:3]) < LARGE
    style = asset("rating/page.css") + (".shown img { image-rendering: pixelated; }" if small else "")
    return framed(TITLE, body, style)


_PAIR = """<div class="shown two">
<button class="answer" data-choice="0"><img alt="the left image"><span><kbd>←</kbd> this one</span></button>
<button class="answer" data-choice="1"><img alt="the right image"><span>this one <kbd>→</kbd></span></button>
</div>"""

_ONE = """<div class="shown"><img alt="the image"></div>
<p class="two"><button class="answer" data-choice="0"><span><kbd>←</kbd> generated</span></button>
<button class="answer" data-choice="1"><span>real <kbd>→</kbd></span></button></p>"""
