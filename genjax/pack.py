"""Pack images at the size trained on, to read them fast: python -m genjax.pack --data=photos/ --size=256 --out=packed/

Writes a new folder of decoded images in ArrayRecord files, with their labels, names and splits. Training on it
(--config.data.name=packed:packed/, or the folder's name alone) reads the same examples in the same order, to the bit,
without decoding them. See docs/data.md.
"""

import signal
import sys
from pathlib import Path
from types import SimpleNamespace

from absl import flags as absl_flags

from genjax.cli import entry, flags, output
from genjax.errors import InputError

FLAGS = flags.FLAGS
SPLITS = ("train", "validation", "test")


def define_flags() -> None:
    """The flags of this entry point."""
    from genjax.data import names

    flags.define_path("data", None, f"Images: a folder, a .zip, or a data set ({names()}).", required=True)
    absl_flags.DEFINE_list("splits", [], f"Splits to pack; default: those of {', '.join(SPLITS)} that there are.")
    flags.define_form()
    flags.define_bits()
    absl_flags.DEFINE_string("resize", "crop", "How images of another aspect ratio are resized, as data.resize.")
    absl_flags.DEFINE_bool("upscale", False, "Enlarge images smaller than --size, which are refused otherwise.")
    absl_flags.DEFINE_string("labels", "", "A table of labels, as data.labels: FILE or FILE:COLUMN.")
    absl_flags.DEFINE_bool("skip_broken", False, "Leave out broken images, which are refused otherwise.")
    flags.define_path("dir", "", "The folder of prepared TFDS data sets, as data.dir.")
    absl_flags.DEFINE_string("license", "", "The terms of the images, where genjax does not know them, as of a folder.")
    absl_flags.DEFINE_integer("workers", 0, "Processes that decode, by Grain; 0: threads.", lower_bound=0)
    flags.define_out(None, "The folder to write, which must be new or empty.")
    absl_flags.mark_flag_as_required("out")


def main() -> None:
    """Pack the images that the flags name."""
    from genjax.data import packing
    from genjax.data.registry import license_of
    from genjax.report.console import say_notes, watch
    from genjax.run.paths import shortened
    from genjax.text import bytes_text

    out = Path(FLAGS.out)
    output.check_folder(f"--out={out}", out)
    sources = _opened()
    source = next(iter(sources.values()))
    packing.check(sources, out)
    if FLAGS.workers:
        packing.workers.check(FLAGS.workers, source, streamed=True)
    say_notes(*sources.values())
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # leaves nothing half-written
    count = sum(part.size for part in sources.values())
    terms = shortened(source.name), FLAGS.license or license_of(source.name)
    with output.writing(f"--out={out}"), watch("images", count) as on_progress:
        packed = packing.write(out, sources, *terms, FLAGS.workers, on_progress)
    for name, split in packed.splits.items():
        print(f"{name}: {split.count:,} images of {'x'.join(map(str, packed.shape))} {packed.dtype}", end=", ")
        print(f"{bytes_text(sum(shard.bytes for shard in split.shards))} in {len(split.shards)} files")
    print(f"to train on it: --config.data.name=packed:{out}")


def _opened() -> dict:
    """The sources of the splits that are asked for, or of those that there are. Raises: InputError."""
    from genjax import data

    keys = ("size", "channels", "range", "resize", "upscale", "labels", "skip_broken", "dir")
    config = SimpleNamespace(name=FLAGS.data, bits=int(FLAGS.bits), **{key: FLAGS[key].value for key in keys})
    sources, missing = {}, None
    for split in FLAGS.splits or SPLITS:
        config.split = split
        try:
            sources[split] = data.load(config)
        except data.NoSuchSplit as error:
            if FLAGS.splits:
                raise
            missing = error
    if not sources:
        raise InputError(f"{missing} Name them in --splits")
    return sources


if __name__ == "__main__":
    define_flags()
    entry.run(main)
