"""Compare runs on one page: python -m genjax.compare --runs=runs/a,runs/b --out=compare.html

The page works offline: a table of what differs in the configs and of all numbers with their protocols, curves over each
other, sample grids side by side. --runs=runs/ takes every run in a folder. docs/experiments.md has an example.
"""

import time

from absl.flags import DEFINE_float, DEFINE_integer

from genjax.cli import entry, flags, output
from genjax.errors import InputError

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this entry point."""
    flags.define_paths("runs", None, "Folders of runs, or folders that hold them at any depth.", required=True)
    flags.define_out("compare.html", "The page to write, a .html.")
    DEFINE_integer(
        "watch", 0, "Look for news every n seconds until Ctrl-C; the page shows them by itself.", lower_bound=0
    )
    DEFINE_float(
        "embed",
        16.0,
        "MiB of sample grids that the page holds, the last ones first; it reads the others from the runs' folders.",
        lower_bound=0.0,
    )


def main() -> None:
    """Write the page, once or until it is interrupted."""
    from genjax.report.comparison.runs import find

    out = output.file_of(FLAGS.out, ".html")
    if not FLAGS.runs:
        raise InputError("--runs is empty: expected folders of runs, as in --runs=runs/a,runs/b")
    find(FLAGS.runs)
    known: dict = {}
    _write(out, known, FLAGS.watch)
    print(f"look at: {out}")
    if not FLAGS.watch:
        return
    print("watching; Ctrl-C ends it")
    try:
        while True:
            time.sleep(FLAGS.watch)
            _write(out, known, FLAGS.watch)
    except KeyboardInterrupt:
        _write(out, {}, 0)


def _write(out, known: dict, reload: int) -> None:
    """Write the page, if a run has news; `known` has the runs as they were read last, by name."""
    from genjax.files import write_bytes
    from genjax.report.comparison import page, runs
    from genjax.run.restore import completed

    old = dict(known)
    known.clear()
    for name, path in runs.find(FLAGS.runs).items():
        stamp = runs.stamp(path)
        is_old = name in old and old[name][0] == stamp
        known[name] = old[name] if is_old else (stamp, runs.read(name, path, completed))
    if known != old:
        content = page.make([run for _, run in known.values()], out, FLAGS.embed, reload)
        with output.writing(f"--out={out}"):
            write_bytes(out, content)


if __name__ == "__main__":
    define_flags()
    entry.run(main)
