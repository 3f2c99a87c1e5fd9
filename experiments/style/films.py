"""Films without flicker, for docs/style.md: python -m experiments.style.films --out=runs/film

A packaged film by descent and in one pass, with every way to carry a frame over, and how each flickers; and the error
of flows where the motion is known. Those of scikit-image are left out where it is not installed.
"""

from functools import partial
from pathlib import Path

import numpy as np
from absl import flags

from genjax import data
from genjax.cli import entry
from genjax.cli.flags import define_path
from genjax.data import films
from genjax.data.images import Form, conform
from genjax.engine.compiler import enable_compilation_cache
from genjax.film_stylization import Descent, blending, flicker, painted
from genjax.optical_flow import flow, motions
from genjax.report import film
from genjax.report.figures import grid, save_png
from genjax.stylization import Painter, gatys_config_of
from genjax.text import table

FLAGS = flags.FLAGS
STYLE = "docs/images/style/glass.jpg"
FILM = 500  # the first one of "test"
SHOWN = 6  # frames of the figure
WAYS = {  # name -> method, how a frame is carried, weight or share, steps of later frames, and whether it is drawn
    "descent, each frame alone": ("gatys", "none", 0.0, 1, True),
    "descent from the last frame, unmoved": ("gatys", "last", 0.0, 50, False),
    "descent from the last frame along the flow": ("gatys", "warped", 0.0, 50, False),
    "the same, temporal weight 10": ("gatys", "warped", 10.0, 50, False),
    "the same, temporal weight 100": ("gatys", "warped", 100.0, 50, True),
    "one pass, each frame alone": ("adain", "none", 0.0, 1, True),
    "one pass, 0.5 of the last frame": ("adain", "warped", 0.5, 1, True),
    "one pass, 0.8 of the last frame": ("adain", "warped", 0.8, 1, False),
}
HEADERS = ("", "frame difference", "warping error")


def define_flags() -> None:
    """The flags of this entry point."""
    define_path("out", "runs/film", "The folder to write to.")
    flags.DEFINE_integer("size", 128, "Pixels of a side.", lower_bound=64)
    flags.DEFINE_integer("frames", 12, "Frames, of 20.", lower_bound=2, upper_bound=20)
    flags.DEFINE_list("only", [], "One or more of flow, gatys, adain; default: all.")


def main() -> None:
    """Write films and a figure, and print the tables."""
    from PIL import Image

    enable_compilation_cache()
    out = Path(FLAGS.out)
    only = FLAGS.only or ["flow", "gatys", "adain"]
    source = data.open_source("moving_clothes", f"test[:{FLAGS.frames}]")
    frames = conform(source.read(np.arange(FLAGS.frames)), Form((FLAGS.size, FLAGS.size), 3, "squash"))
    if "flow" in only:
        print(table([(name, *errors(method)) for name, method in flows().items()], ("flow", "error", "seconds")))
    moved = motions(frames)
    rows, drawn = [("the content", *flicker(frames, moved))], [frames[:SHOWN]]
    for name, (method, carry, amount, later, is_drawn) in WAYS.items():
        if method in only:
            result = list(painted(painter(method, amount, later), frames, moved, carry))
            rows.append((name, *flicker(result, moved)))
            drawn += [result[:SHOWN]] * is_drawn
            file = name.replace(",", "").replace(" ", "_")
            film.save(out / f"{file}.webp", [*map(Image.fromarray, result)], len(result) / 10)
            print(table(rows[-1:], HEADERS), flush=True)
    print(table(rows, HEADERS))
    save_png(out / "style_film.png", grid(np.concatenate(drawn), SHOWN, scale=1), "A film in the style of glass")


def painter(method: str, amount: float, later: int):
    """A method's painter of frames."""
    shape = (FLAGS.size, FLAGS.size, 3)
    if method == "adain":
        return blending(Painter("", [STYLE], size=FLAGS.size), amount)
    return Descent(gatys_config_of(*shape[:2], [STYLE]), shape, amount, later).paint


def flows() -> dict:
    """Methods of flow: functions of two gray images."""
    import cv2

    def farneback(x, y):
        return cv2.calcOpticalFlowFarneback(x, y, None, 0.5, 3, 15, 3, 5, 1.2, 0)

    methods = {"at rest": lambda x, y: np.zeros((*x.shape, 2)), "OpenCV, DIS": None, "OpenCV, Farneback": farneback}
    try:
        from skimage import registration
    except ImportError:
        return methods
    for name in ("ilk", "tvl1"):
        method = getattr(registration, f"optical_flow_{name}")
        methods[f"scikit-image, {name}"] = partial(_of_skimage, method)
    return methods


def _of_skimage(method, x, y):
    return np.moveaxis(method(x, y), 0, 2)[..., ::-1]


def errors(method) -> tuple[float, float]:
    """Mean distance in pixels from the true motion of clothes, where no other covers them, and seconds per flow."""
    import time

    import cv2

    distances, seconds = [], 0.0
    for number in range(FILM * films.LENGTH, FILM * films.LENGTH + 200):
        if number % films.LENGTH == films.LENGTH - 1:
            continue
        x, y = (np.repeat(films.draw(i), 3, 2) for i in (number, number + 1))
        start = time.perf_counter()
        gray = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (x, y)]
        result = flow(x, y) if method is None else method(*gray)
        seconds += time.perf_counter() - start
        clothes, before = films.scene(number)
        masks = np.zeros((films.CLOTHES, films.SIDE, films.SIDE), bool)
        for mask, image, (top, left) in zip(masks, clothes, before, strict=True):
            mask[top : top + 28, left : left + 28] = image[..., 0] > 0
        for mask, step in zip(masks, films.scene(number + 1)[1] - before, strict=True):
            alone = mask & (masks.sum(0) == 1)
            distances.append(np.linalg.norm(result[alone] - step[::-1], axis=-1).mean())
    return float(np.nanmean(distances)), seconds / 190


if __name__ == "__main__":
    define_flags()
    entry.run(main)
