"""Film a path between samples, in a loop that closes: python -m genjax.film --workdir=runs/x --seeds=0,5,9 --out=x.mp4

The path leads through the seeds in turn and back to the first, slower near each. Where the generator has w, as a
StyleGAN's, it is straight in w; otherwise it turns in the latents, and a class that changes is blended. Random noise
in a StyleGAN's layers is that of the first seed in all frames. The ending of --out is the format: .gif, .webp (all
colors, without loss) or .mp4 (pip install av). Several films side by side are a grid: --films=4 begins each at another
of the seeds.
"""

import re

import numpy as np
from absl.flags import DEFINE_enum, DEFINE_float, DEFINE_integer, DEFINE_list, DEFINE_string

from genjax.cli import entry, flags, output
from genjax.config import NOISE
from genjax.errors import InputError

FLAGS = flags.FLAGS

MOST = 3_000
"""Largest number of frames, which are held in memory."""
CHUNK = 64
"""Images that are decoded at a time."""


def define_flags() -> None:
    """The flags of this entry point."""
    flags.define_run()
    DEFINE_string("seeds", "0-5", "The samples on the path: '0-5', '3,5,8' or both forms mixed.")
    DEFINE_list("labels", [], "Classes of the samples, in a run with classes: one for all, or one per seed.")
    flags.define_out("film.gif", "The film to write, a .gif, .webp or .mp4.")
    DEFINE_integer("films", 1, "Films side by side, each of which begins at another seed.", lower_bound=1)
    DEFINE_float("seconds", 2.0, "Seconds from one sample to the next.", lower_bound=0.1)
    DEFINE_integer("fps", 15, "Frames per second.", lower_bound=1, upper_bound=60)
    DEFINE_enum("space", "", ["", "z", "w"], "Where the path lies; default: w if the generator has it, otherwise z.")
    flags.define_sampling()
    flags.define_noise()


def path_of(stations: np.ndarray, frames: int, films: int, space: str, classes: int) -> np.ndarray:
    """Closed paths through all stations, each beginning at another of them.

    Shapes: stations [K, D] -> [K * frames, films, D].
    """
    from genjax.interpolation import lerp, round_trip, slerp, within_class

    path = lerp if space == "w" else within_class(slerp, classes)
    starts = np.arange(films) * max(1, len(stations) // films)
    return np.stack([round_trip(np.roll(stations, -start, 0), frames, path) for start in starts], 1)


def main() -> None:
    """Write the film that the flags ask for."""
    from genjax.report import figures, film, video
    from genjax.report.console import watch
    from genjax.run.loaded import open_run
    from genjax.sample import parse_seeds

    seeds = parse_seeds(FLAGS.seeds)
    frames = round(FLAGS.seconds * FLAGS.fps)
    if len(seeds) < 2 or not 2 <= len(seeds) * frames <= MOST:
        raise InputError(
            f"--seeds={FLAGS.seeds}, --seconds={FLAGS.seconds}, --fps={FLAGS.fps}: {len(seeds) * frames:,} frames "
            f"between {len(seeds)} seeds; expected two seeds or more, and at most {MOST:,} frames"
        )
    suffix = re.search(r"\.[a-z0-9]+$|$", FLAGS.out.lower())[0]
    if suffix not in film.FORMATS:
        raise InputError(f"--out={FLAGS.out}: expected a name that ends in {', '.join(film.FORMATS)}")
    out = output.file_of(FLAGS.out, suffix)
    if suffix == ".mp4":
        video.need_av()
    run = open_run(FLAGS.workdir, None, FLAGS.step, needs=("latents", "decode"))
    if not run.are_images:
        raise InputError(f"{FLAGS.workdir}: its samples are no images, which a film shows")
    space = FLAGS.space or ("w" if "map" in run.task.outputs else "z")
    decode = run.decoder(space, FLAGS.ema, FLAGS.truncation, FLAGS.noise or NOISE[0], int(seeds[0]))
    stations = _stations(run, seeds, space)
    path = path_of(stations, frames, FLAGS.films, space, run.task.classes)
    images = []
    with watch("frame", len(path)) as on_progress:
        for points in np.array_split(path, -(-path.shape[0] * path.shape[1] // CHUNK)):
            x = decode(points.reshape(-1, points.shape[-1]))
            images += map(figures.grid, x.reshape(*points.shape[:2], *x.shape[1:]))
            on_progress(len(images))
    with output.writing(out):
        film.save(out, images, len(images) / FLAGS.fps)
    print(f"{len(images):,} frames, {len(images) / FLAGS.fps:.1f} s: {FLAGS.out}")


def _stations(run, seeds: np.ndarray, space: str) -> np.ndarray:
    """Latents of seeds, or their w. Shapes: [K] -> [K, D]. Raises: InputError for labels and spaces there are not."""
    from genjax.engine.outputs import apply_in_batches, check_truncation
    from genjax.run.loaded import number_of

    if space == "w":
        run.need("map", "synthesize")
    check_truncation(FLAGS.truncation, run.task.outputs)
    labels = FLAGS.labels
    if labels:
        if len(labels) not in (1, len(seeds)):
            raise InputError(f"--labels has {len(labels)} classes, --seeds {len(seeds)}: expected one, or one per seed")
        classes = run.task.classes
        numbers = [number_of(label, run.info["data"]["labels"], classes) for label in labels]
        seeds = seeds.astype(np.int64) * max(1, classes) + np.resize(numbers, len(seeds))
        if seeds.max() >= 2**31:
            raise InputError(f"--seeds={FLAGS.seeds}: with {classes} classes, expected less than {2**31 // classes:,}")
    has_w = "map" in run.task.outputs  # whose truncation is of w, when images are made
    options = {} if has_w or FLAGS.truncation is None else {"truncation": FLAGS.truncation}
    z = apply_in_batches(run.task.outputs["latents"], run.state, seeds.astype(np.int32), **options)
    if space == "z":
        return z
    return apply_in_batches(run.task.outputs["map"], run.state, z, ema=FLAGS.ema)


if __name__ == "__main__":
    define_flags()
    entry.run(main)
