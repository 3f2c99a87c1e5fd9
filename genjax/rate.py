"""Let people rate samples: python -m genjax.rate --runs=runs/a,runs/b --out=sheet.html

The page works offline, on phones as well: it shows images of the runs and real ones in random order, asks which are
real, and saves the answers as a file. --score=answers.json prints how often each run's images were taken for real, with
a 95% interval; several raters' files of one sheet are pooled. docs/rating.md has an example.
"""

import json
from pathlib import Path

from absl.flags import DEFINE_enum, DEFINE_float, DEFINE_integer, DEFINE_string

from genjax.cli import entry, flags, output
from genjax.errors import InputError

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this entry point."""
    from genjax.report.rating.key import ASK, PAIR

    flags.define_paths("runs", [], "Folders of runs whose samples are rated.")
    flags.define_step()
    flags.define_path("reference", None, "The data that real images are drawn from; default: the first run's data.")
    DEFINE_string("split", None, "Split of the reference, as in 'test'; default: the run's training split.")
    DEFINE_integer("count", 50, "Number of images of each run.", lower_bound=1)
    DEFINE_enum("ask", PAIR, ASK, "Show a real and a generated image and ask which is real, or show one image alone.")
    DEFINE_float("seconds", 0.0, "Hide images after this time; 0 shows them until the answer.", lower_bound=0.0)
    DEFINE_integer("seed", 0, "Seed of the choice of images, of their order and of their sides.", lower_bound=0)
    flags.define_sampling()
    flags.define_noise()
    flags.define_paths("score", [], "Files of answers to one sheet, to be counted in place of making a sheet.")
    flags.define_out(None, "The page to write, a .html; default: sheet.html. With --score, a .json for the rates.")


def main() -> None:
    """Write a sheet, or print the rates of its answers."""
    if bool(FLAGS.runs) == bool(FLAGS.score):
        raise InputError("give either --runs, folders of runs to make a sheet of, or --score, files of answers to it")
    if FLAGS.score:
        _score()
    else:
        _sheet()


def _sheet() -> None:
    from genjax.engine.compiler import enable_compilation_cache
    from genjax.evaluation.of_run import Choices
    from genjax.files import write_bytes
    from genjax.rating import sheet

    out = output.file_of(FLAGS.out or "sheet.html", ".html")
    enable_compilation_cache()
    names = ("reference", "split", "ema", "truncation", "noise")
    choices = Choices(**{name: value for name in names if (value := FLAGS[name].value) is not None})
    content = sheet(FLAGS.runs, choices, FLAGS.count, FLAGS.ask, FLAGS.seconds, FLAGS.seed, FLAGS.step)
    with output.writing(f"--out={out}"):
        write_bytes(out, content)
    print(f"look at: {out}\nthen: python -m genjax.rate --score=answers.json")


def _score() -> None:
    from genjax.files import write_bytes
    from genjax.rating import CONFIDENCE, as_json, score
    from genjax.report.rating.key import PAIR
    from genjax.text import table

    out = output.file_of(FLAGS.out, ".json") if FLAGS.out else None
    key, rates = score(FLAGS.score)
    rows = [(rate.name, rate.trials, rate.deceived, rate.rate, rate.low, rate.high) for rate in rates]
    print(table(rows, ("called real", "shown", "times", "rate", "low", "high")))
    best = "0.5, where raters guess" if key.ask == PAIR else "that of the real images"
    raters = len(FLAGS.score)
    print(
        f"\nseed {key.seed}, {raters} rater{'' if raters == 1 else 's'}; low and high are Clopper and Pearson's "
        f"{CONFIDENCE:.0%} interval; a perfect model has a rate of {best}"
    )
    if out:
        content = json.dumps(as_json(key, rates, raters), indent=1, allow_nan=False) + "\n"
        with output.writing(f"--out={out}"):
            write_bytes(Path(out), content.encode())


if __name__ == "__main__":
    define_flags()
    entry.run(main)
