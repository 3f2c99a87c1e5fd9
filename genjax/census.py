"""Count what a data source holds before training on it: python -m genjax.census --data=folder/ --out=census.png

Prints sizes, values, classes, duplicates and broken files, and the flags to train on the data. Broken images are named,
not refused. docs/data.md has an example.
"""

from absl import flags as absl_flags

from genjax.cli import entry, flags, output

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this entry point."""
    flags.define_examples("data", count="all", required=True)
    absl_flags.DEFINE_string("labels", "", "A table of labels, as data.labels: FILE or FILE:COLUMN.")
    absl_flags.DEFINE_bool("all", False, "Do not cut long lists.")
    flags.define_out("", "A contact sheet to write, a .png: examples of each class, as training would get them.")
    absl_flags.DEFINE_string("broken", "", "A text file to write: the names of broken images, one per line.")
    absl_flags.DEFINE_string("json", "", "A .json to write: everything, with complete lists.")


def main() -> None:
    """Print the census that the flags ask for, and write its files."""
    import json

    from genjax.data.census import take_census, words
    from genjax.data.images import form_of_config

    out = output.file_of(FLAGS.out, ".png") if FLAGS.out else None
    as_json = output.file_of(FLAGS.json, ".json", "--json") if FLAGS.json else None
    form = form_of_config(_Form(FLAGS.size, FLAGS.channels, FLAGS.range))
    census = take_census(FLAGS.data, FLAGS.split or "train", form, FLAGS.labels, FLAGS.count)
    print(words.render(census, FLAGS.all))
    if as_json:
        _write("json", json.dumps(words.as_json(census), indent=1).encode())
    if FLAGS.broken:
        _write("broken", "".join(f"{name}\n" for name in census.broken).encode("utf-8", "surrogateescape"))
    if out:
        _write_sheet(census, out)


class _Form:
    """The keys of config.data that these flags stand for."""

    resize = "crop"

    def __init__(self, size: str, channels: int, limits: str):
        self.size, self.channels, self.range = size, channels, limits


def _write(flag: str, data: bytes) -> None:
    from genjax.files import write_bytes

    with output.writing(f"--{flag}={FLAGS[flag].value}"):
        write_bytes(FLAGS[flag].value, data)


def _write_sheet(census, path) -> None:
    """Images in rows per class; points and series as a plot."""
    import numpy as np

    from genjax.data.census import words
    from genjax.report import contact_sheet, figures, gallery

    source, classes = census.source, census.classes
    if census.kind == "images":
        rows = _rows(source, list(classes.items()))
        of = f", {len(rows)} of {len(classes):,} classes" if len(rows) < len(classes) else ""
        count = words.counted(source.size, "images")
        title = f"{source.name}, {source.split}: {count} at {words.size_text(source.shape)}{of}"
        image = contact_sheet.draw(title, rows, source.read, source.shape)
    else:
        image = gallery.draw(source.read(np.array(figures.evenly(source.size, 5000))))
    with output.writing(f"--out={path}"):
        figures.save_png(path, image)


def _rows(source, classes: list[tuple[str, int]]) -> list:
    """The rows of a contact sheet, with examples spread evenly over those of each class, or over all."""
    import numpy as np

    from genjax.data.census import words
    from genjax.report.contact_sheet import MAX_CLASSES, Row, layout
    from genjax.report.figures import evenly

    shown = evenly(len(classes), MAX_CLASSES) if classes else []
    _, columns, lines, _ = layout(len(shown))

    def spread(indices):
        return indices[evenly(len(indices), columns * lines)]

    if not classes:
        return [Row("", "", spread(np.arange(source.size)))]
    counts = [(name, words.counted(number, "images")) for name, number in classes]
    return [Row(*counts[label], spread(np.flatnonzero(source.labels == label))) for label in shown]


if __name__ == "__main__":
    define_flags()
    entry.run(main)
