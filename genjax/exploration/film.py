"""A film between requests: a round trip through their latents, or through their styles, that closes.

Its file is a JSON list of requests, each an object of genjax.explore's flags by name, so that a command makes it again.
"""

import io
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from genjax.errors import InputError
from genjax.exploration.explorer import Explorer
from genjax.exploration.request import Request, from_json, to_json
from genjax.files import expand, write_bytes
from genjax.report import gif, video
from genjax.report.display import png, shown

FRAMES = 15  # from one image to the next
SECONDS = 1.0  # from one image to the next


def to_text(stations: Sequence[Request]) -> str:
    """The contents of a film's file."""
    return json.dumps([to_json(request) for request in stations], indent=1) + "\n"


def read(path: str | os.PathLike) -> tuple[Request, ...]:
    """The requests of a film's file. Raises: InputError for a file that is none."""
    try:
        text = Path(expand(path)).read_text("utf-8")
    except (OSError, ValueError) as error:
        raise InputError(f"--film={path}: expected a .json that the page has saved ({error})") from error
    return read_text(text, path)


def read_text(text: str, path: str | os.PathLike) -> tuple[Request, ...]:
    """The requests of the contents of a film's file. Raises: InputError that names the file."""
    try:
        values = json.loads(text)
        if not isinstance(values, list) or len(values) < 2:
            raise InputError("a list of at least two requests is missing")
        return tuple(map(from_json, values))
    except (ValueError, TypeError) as error:  # an InputError is a ValueError
        raise InputError(f"--film={path}: expected a .json that the page has saved ({error})") from error


def frames(explorer: Explorer, stations: Sequence[Request]) -> list[io.BytesIO]:
    """The frames, as PNG in memory. Raises: InputError for requests that a film does not pass between."""
    images = [explorer.between(a, b, t) for a, b, t in _places(stations)]
    return [io.BytesIO(png(shown(image))) for image in images]


def _places(stations):
    """Pairs of requests and the place between them, slow near each: t goes as 3 t^2 - 2 t^3."""
    t = np.linspace(0, 1, FRAMES, endpoint=False)
    for start, end in zip(stations, [*stations[1:], stations[0]], strict=True):
        for place in t * t * (3 - 2 * t):
            yield start, end, float(place)


def save(path: Path, explorer: Explorer, stations: Sequence[Request]) -> None:
    """Write a film as a GIF, or as an MP4, by the ending of its name."""
    seconds = SECONDS * len(stations)
    if path.suffix == ".mp4":
        video.save_mp4(path, frames(explorer, stations), seconds)
    else:
        write_bytes(path, gif_of(explorer, stations))


def gif_of(explorer: Explorer, stations: Sequence[Request]) -> bytes:
    """A film as the contents of a GIF."""
    images = frames(explorer, stations)
    return gif.gif_bytes(images, SECONDS * len(stations), most=len(images), hold=0)
