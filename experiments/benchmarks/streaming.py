"""Reading speed of streamed data against the speed of training: python -m experiments.benchmarks.streaming

Makes folders and TFDS data sets of images and reads them as if they were larger than memory: each image is decoded
when its turn comes in the shuffled order. Then trains a config on those of 28x28, held on the device and streamed, in
alternation. Images are smooth noise; their files are in the system's cache, so the measurement is of decoding and not
of the disk. Run it from the repository's root on a quiet machine.
"""

import contextlib
import io
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import jax
import numpy as np
from absl import flags
from ml_collections import ConfigDict, config_flags

from genjax import data, tasks
from genjax.cli import entry
from genjax.config import check, defaults
from genjax.data import encoded
from genjax.data.feed import Feed
from genjax.data.source import Source
from genjax.engine import loop
from genjax.engine.mesh import make_mesh
from genjax.engine.phase import Phase, ScheduledPhase, Task
from genjax.run.fit import fit
from genjax.text import table

FLAGS = flags.FLAGS

CALL = 10
"""Steps per call of the loop; twice this number is read ahead, which is little compared to a measurement."""


@dataclass(frozen=True)
class Kind:
    """A kind of data set: where and how its images are stored, and the size that they are read at."""

    home: str  # "folder" or "tfds"
    shape: tuple[int, int, int]
    suffix: str
    size: str = ""  # config.data.size
    noise: float = 0.0  # deviation of each value of a pixel, by which files of photographs are as large as they are

    @property
    def name(self) -> str:
        """A short description, such as "folder, 480x640 color jpeg to 64"."""
        height, width, channels = self.shape
        form = f"{height}x{width} {'gray' if channels == 1 else 'color'} {self.suffix}"
        return f"{self.home}, {form} to {self.size}" if self.size else f"{self.home}, {form}"


STORED = (((28, 28, 1), "png"), ((64, 64, 3), "png"), ((64, 64, 3), "jpeg"), ((480, 640, 3), "jpeg", "64"))
KINDS = tuple(Kind(home, *stored) for home in ("folder", "tfds") for stored in STORED)


def define_flags() -> None:
    """The flags of this entry point."""
    config_flags.DEFINE_config_file("config", "configs/dcgan.py", "The config to train.")
    flags.DEFINE_integer("images", 2000, "Images in each data set.", lower_bound=1)
    flags.DEFINE_float("seconds", 3.0, "Seconds per measurement.", lower_bound=0)
    flags.DEFINE_integer("repeats", 3, "Measurements of training; the fastest one counts.", lower_bound=1)


def main() -> int:
    """Measure and print. Returns: the exit code."""
    config = FLAGS.config
    shape = (28, 28, 1)
    check(config, tasks.default_config(config.task))
    task = tasks.build(config, shape)
    with tempfile.TemporaryDirectory() as folder:
        sources = {kind.name: open_streamed(make(kind, Path(folder), FLAGS.images)) for kind in KINDS}
        read = {name: reading(source, config.batch, FLAGS.seconds) for name, source in sources.items()}
        fitting = {name: source for name, source in sources.items() if source.shape == shape}
        trained = training(task, fitting, FLAGS.seconds, FLAGS.repeats)
    print(as_text(read, trained))
    return 0


def as_text(read: dict[str, tuple[float, float]], trained: dict[str, tuple[float, float]]) -> str:
    """The speeds as a table. Reading has to reach the speed of training on data held on the device, the need."""
    need = max(resident for resident, _ in trained.values())
    rows = [
        (name, speed, speed / need, 1e6 * cpu, *trained.get(name, (None, None))) for name, (speed, cpu) in read.items()
    ]
    headers = ("images per second", "reading", "of the need", "CPU µs per image", "training, held", "streamed")
    return f"{table(rows, headers)}\n\nthe need: {need:,.0f} images/s"


def make(kind: Kind, folder: Path, count: int) -> ConfigDict:
    """Write a data set into a new folder. Returns: the config.data that opens it."""
    config = defaults("").data
    config.size = kind.size
    folder = folder / kind.name.replace(" ", "_").replace(",", "")
    folder.mkdir()
    if kind.home == "folder":
        for index in range(count):
            (folder / f"{index}.{kind.suffix}").write_bytes(image(kind, index))
        config.name = f"folder:{folder}"
    else:
        prepare(kind, folder, count)
        config.name, config.dir = "tfds:made", str(folder)
    return config


def image(kind: Kind, index: int) -> bytes:
    """An encoded image of the data set, by its number."""
    from PIL import Image

    height, width, channels = kind.shape
    coarse = 32 if kind.noise else 4
    x = np.random.default_rng(index).integers(0, 256, (height // coarse, width // coarse, channels), np.uint8)
    file = io.BytesIO()
    smooth = Image.fromarray(x.squeeze()).resize((width, height))
    if kind.noise:
        noisy = np.asarray(smooth) + np.random.default_rng(index).normal(0, kind.noise, kind.shape)
        smooth = Image.fromarray(np.clip(np.round(noisy), 0, 255).astype(np.uint8))
    smooth.save(file, kind.suffix)
    return file.getvalue()


def prepare(kind: Kind, folder: Path, count: int) -> None:
    """Write a TFDS data set, without TensorFlow."""
    import tensorflow_datasets as tfds

    class Made(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            image = tfds.features.Image(shape=kind.shape, encoding_format=kind.suffix)
            return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict({"image": image}))

        def _split_generators(self, manager):
            return {"train": self._generate_examples()}

        def _generate_examples(self):
            for index in range(count):
                yield index, {"image": io.BytesIO(image(kind, index))}

    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):  # TFDS chats
        builder = Made(data_dir=folder, file_format="array_record")
        builder.download_and_prepare(download_config=tfds.download.DownloadConfig(try_download_gcs=False))


def open_streamed(config: ConfigDict) -> Source:
    """Open a data set as if it were too large to be decoded into memory."""
    limit = encoded.MAX_IN_MEMORY
    encoded.MAX_IN_MEMORY = 0
    try:
        return data.load(config)
    finally:
        encoded.MAX_IN_MEMORY = limit


def reading(source: Source, batch: int, seconds: float) -> tuple[float, float]:
    """Images per second from a feed while nothing else runs, and CPU seconds per image."""
    feed = Feed(source, 0, make_mesh(), 0)
    batches = feed.batches(ScheduledPhase(Phase("read", 2**30, batch, None), 0, 0), 0, CALL)
    with contextlib.closing(batches):
        for _ in range(3):  # uses up the images that were read ahead in the meantime
            batches.take(CALL)
        images = 0
        start = time.perf_counter()
        used = time.process_time()
        while not images or time.perf_counter() - start < seconds:
            jax.block_until_ready(batches.take(CALL))
            images += CALL * batch
        return images / (time.perf_counter() - start), (time.process_time() - used) / images


def training(task: Task, sources: dict[str, Source], seconds: float, repeats: int) -> dict[str, tuple[float, float]]:
    """Images per second of training on each source, held on the device and streamed: the fastest of `repeats`."""
    phase = replace(task.phases[0], steps=2**30)
    runs = {(name, most): endless(phase, task, source, most) for name, source in sources.items() for most in (1e12, 0)}
    best = dict.fromkeys(runs, 0.0)
    for _ in range(repeats):
        for name, chunks in runs.items():
            _rate(chunks, 1.0)  # uses up the images that were read ahead while the others ran
            best[name] = max(best[name], _rate(chunks, seconds) * phase.batch * phase.batches_per_step)
    for chunks in runs.values():
        chunks.close()
    return {name: (best[name, 1e12], best[name, 0]) for name in sources}


def endless(phase: Phase, task: Task, source: Source, resident_bytes: float) -> Iterator[loop.CallResult]:
    """The calls of a training that does not end."""
    return fit(Task(task.init, (phase,)), source, boundaries=(CALL,), resident_bytes=resident_bytes)


def _rate(chunks: Iterator[loop.CallResult], seconds: float) -> float:
    """Steps per second of the calls that begin within this time."""
    steps = spent = 0
    while not steps or spent < seconds:
        chunk = next(chunks)
        steps, spent = steps + chunk.step - chunk.first, spent + chunk.seconds
    return steps / spent


if __name__ == "__main__":
    define_flags()
    entry.run(main)
