"""Images per second and core by reader: python -m experiments.benchmarks.readers --sides=256,1024

Makes images with the grain of photographs, stores them as PNG files in a folder, in Parquet and in TFDS, and packed,
and has each reader bring shuffled batches of them to the device: genjax's thread, genjax's processes (data.workers, by
Grain), TFDS's own data source in a loop, and PyTorch's DataLoader. CPU time is that of the process and its workers, so
that a machine with other work gives the same figure. Readers take turns. The files are in the system's cache. Linux
alone; needs the extras grain, parquet and bench.
"""

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median

import jax
import numpy as np
from absl import flags
from ml_collections import ConfigDict

from experiments.benchmarks.streaming import Kind, image, make, open_streamed
from genjax.cli import entry
from genjax.config import defaults
from genjax.data import packing
from genjax.data.feed import Feed
from genjax.data.order import positions
from genjax.data.packed import Records, described
from genjax.data.source import Source
from genjax.engine.mesh import make_mesh
from genjax.engine.phase import Phase, ScheduledPhase
from genjax.text import table

FLAGS = flags.FLAGS

NOISE = 1.4
"""Deviation of the grain: files of PNG have two fifths of the pixels' bytes, as those of FFHQ at 1024 pixels."""
BATCH_BYTES = 2**24
WARM = 16
"""Batches before each turn, which use up what was read ahead in the others'."""


def define_flags() -> None:
    """The flags of this entry point."""
    flags.DEFINE_list("sides", ["256", "1024"], "Sides of the images.")
    flags.DEFINE_integer("megabytes", 100, "Size of each set of images, decoded.", lower_bound=1)
    flags.DEFINE_integer("workers", 2, "Processes of the readers that have some.", lower_bound=1)
    flags.DEFINE_float("seconds", 3.0, "Seconds of a turn.", lower_bound=0)
    flags.DEFINE_integer("turns", 5, "Turns of each reader; medians count.", lower_bound=1)


def main() -> int:
    """Measure and print. Returns: the exit code."""
    for side in map(int, FLAGS.sides):
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            images = max(8, FLAGS.megabytes * 2**20 // (3 * side**2))
            batch = max(1, BATCH_BYTES // (3 * side**2))
            made = stored(Path(folder), side, images)
            readers = {name: stack.enter_context(reader) for name, reader in all_readers(made, batch, FLAGS.workers)}
            turns = {name: [] for name in readers}
            for _ in range(FLAGS.turns):
                for name, batches in readers.items():
                    turns[name].append(turn(batches, batch, FLAGS.seconds))
            print(as_text(side, made.png_share, turns) + "\n")
    return 0


@dataclass(frozen=True)
class Turn:
    """A turn of a reader, per image: CPU seconds of all processes, of the first one, and seconds."""

    cpu: float
    own: float
    wall: float


@dataclass(frozen=True)
class Stored:
    """One set of images, stored in several ways."""

    sources: dict[str, Source]  # by the way
    folder: Path  # of PNG files
    packed: Path
    tfds: Path
    png_share: float  # bytes of PNG files, as a share of the pixels'


def stored(folder: Path, side: int, images: int) -> Stored:
    """Write the images in all ways."""
    kinds = {home: Kind(home, (side, side, 3), "png", noise=NOISE) for home in ("folder", "tfds")}
    configs = {home: make(kind, folder, images) for home, kind in kinds.items()}
    configs["parquet"] = _parquet(kinds["folder"], folder / "images.parquet", images)
    sources = {name: open_streamed(config) for name, config in configs.items()}
    packing.write(folder / "packed", {"train": sources["folder"]}, "made", "", 0, lambda done: None)
    config = defaults("").data
    config.name = f"packed:{folder / 'packed'}"
    sources["packed"] = open_streamed(config)
    png = Path(configs["folder"].name.partition(":")[2])
    share = sum(file.stat().st_size for file in png.iterdir()) / sources["folder"].nbytes
    return Stored(sources, png, folder / "packed", Path(configs["tfds"].dir), share)


def _parquet(kind: Kind, path: Path, images: int) -> ConfigDict:
    import pyarrow
    from pyarrow import parquet

    rows = [{"bytes": image(kind, index), "path": f"{index}.png"} for index in range(images)]
    parquet.write_table(pyarrow.table({"image": rows}), path)
    config = defaults("").data
    config.name = f"parquet:{path}"
    return config


def all_readers(made: Stored, batch: int, workers: int) -> Iterator[tuple[str, contextlib.AbstractContextManager]]:
    """The readers by name; each gives an endless iterator whose items are batches on the device."""
    for name, source in made.sources.items():
        yield f"{name}, thread", ours(source, batch, 0)
    for name in ("folder", "packed"):
        yield f"{name}, Grain", ours(made.sources[name], batch, workers)
    yield "TFDS, its data source", theirs(_tfds(made.tfds, batch))
    files = sorted(map(str, made.folder.iterdir()))
    yield "PNG files, PyTorch", theirs(_torch(Files(files), batch, workers))
    yield "packed, PyTorch", theirs(_torch(PackedFiles(made.packed), batch, workers))


@contextlib.contextmanager
def ours(source: Source, batch: int, workers: int) -> Iterator[Iterator]:
    """Batches of genjax's feed."""
    feed = Feed(source, 0, make_mesh(), 0, workers)
    batches = feed.batches(ScheduledPhase(Phase("read", 2**24, batch, None), 0, 0), 0, 1)
    with contextlib.closing(batches):
        yield (batches.take(1) for _ in count())


@contextlib.contextmanager
def theirs(batches: Iterator[np.ndarray]) -> Iterator[Iterator]:
    """Batches of another library."""
    yield (jax.device_put(batch) for batch in batches)


def _order(size: int, batch: int) -> Iterator[np.ndarray]:
    return (positions(0, size, step * batch, batch) for step in count())


def _tfds(folder: Path, batch: int) -> Iterator[np.ndarray]:
    import tensorflow_datasets as tfds

    records = tfds.data_source("made", split="train", data_dir=folder)
    for indices in _order(len(records), batch):
        yield np.stack([row["image"] for row in records.__getitems__(indices.tolist())])


def _torch(files, batch: int, workers: int) -> Iterator[np.ndarray]:
    import torch

    order = np.concatenate([positions(0, len(files), 0, 2**20)]).tolist()
    loader = torch.utils.data.DataLoader(
        files, batch, sampler=order, num_workers=workers, multiprocessing_context="spawn", drop_last=True
    )
    while True:
        yield from (x.numpy() for x in loader)


@dataclass
class Files:
    """PNG files as a data set of PyTorch."""

    paths: list[str]

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int):
        import torch
        from PIL import Image

        with Image.open(self.paths[index]) as opened:
            return torch.from_numpy(np.array(opened))


class PackedFiles:
    """Packed images as a data set of PyTorch."""

    def __init__(self, folder: Path):
        packed = described(folder)
        self.records = Records(folder, packed, packed.splits["train"].shards)
        self.size = packed.splits["train"].count

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int):
        import torch

        return torch.from_numpy(self.records.read(np.array([index]))[0])


def turn(batches: Iterator, batch: int, seconds: float) -> Turn:
    """Read for some seconds."""
    for _ in range(WARM):
        jax.block_until_ready(next(batches))
    start, own, cpu = time.perf_counter(), time.process_time(), cpu_seconds()
    images = 0
    while not images or time.perf_counter() - start < seconds:
        jax.block_until_ready(next(batches))
        images += batch
    spent = cpu_seconds() - cpu, time.process_time() - own, time.perf_counter() - start
    return Turn(*(amount / images for amount in spent))


def cpu_seconds() -> float:
    """CPU seconds so far of this process and of its children, by Linux's /proc."""
    me = str(os.getpid())
    total = 0.0
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):  # of a process that has ended
            if folder.name.isdigit():
                fields = (folder / "stat").read_text("utf-8").rpartition(") ")[2].split()
                if me in (folder.name, fields[1]):
                    total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def as_text(side: int, png_share: float, turns: dict[str, list[Turn]]) -> str:
    """The medians as a table; ratios are to the first reader."""
    cpu = {name: median(turn.cpu for turn in own) for name, own in turns.items()}
    first = next(iter(cpu.values()))
    rows = []
    for name, own in turns.items():
        ratios = sorted(base.cpu / turn.cpu for base, turn in zip(next(iter(turns.values())), own, strict=True))
        alone = 1 / median(turn.own for turn in own)
        spread = f"{first / cpu[name]:.2f} ({ratios[0]:.2f} - {ratios[-1]:.2f})"
        rows.append((name, f"{1 / cpu[name]:,.0f}", spread, f"{alone:,.0f}", f"{1 / median(t.wall for t in own):,.0f}"))
    headers = (f"{side} pixels", "images/s per core", "ratio", "of its first process", "seen here")
    return f"{table(rows, headers)}\n\nPNG files: {png_share:.0%} of the pixels' bytes"


if __name__ == "__main__":
    define_flags()
    entry.run(main)
