"""What a feature net sees in a source of images: in shards on disk, seen once, and resumed where it stopped."""

import hashlib
import io
import json
import shutil
import time
import zipfile
from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np

from genjax.data.source import Source
from genjax.engine.distributed import all_gather_array, run_on_main
from genjax.errors import InputError
from genjax.files import cache_folder, write_bytes
from genjax.metrics.features import Extracted, FeatureNet, extract
from genjax.metrics.frechet import Moments

SHARD = 4096  # images a file
MAX_IN_MEMORY = 50_000
"""Features in memory at once: those of the first images. Moments are of all."""

LEFT_SECONDS = 7 * 86_400


class Features(NamedTuple):
    """Of N images: all moments, and the features (and classes) of the first MAX_IN_MEMORY."""

    moments: Moments
    features: np.ndarray  # float32 [min(N, MAX_IN_MEMORY), D]
    probabilities: np.ndarray | None  # float32 [min(N, MAX_IN_MEMORY), classes]


class FeatureCache:
    """The shards of one source under one net."""

    def __init__(self, net: FeatureNet, source: Source, count: int, classes: bool, kind: str):
        """The first `count` images; `classes`: their probabilities as well; `kind`: a folder of the cache."""
        self.net, self.source, self.count, self.classes = net, source, count, classes
        what = [source.fingerprint, list(source.shape), net.name, net.sha256, net.resize, classes, net.batch, SHARD]
        what += [jax.__version__, jax.default_backend()]
        self.folder = cache_folder("features") / kind / hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32]

    def fill(self, on_progress: Callable[[int], None] = lambda done: None) -> None:
        """Have every shard on disk, which several processes do together; `on_progress` hears how many images are done."""
        starts = range(0, self.count, SHARD)
        missing = run_on_main(lambda: [start for start in starts if self._load(start) is None])
        for start in missing:
            part = self._look(start, on_progress)
            run_on_main(lambda start=start, part=part: self._save(start, part))
        on_progress(self.count)

    def read(self) -> Features:
        """What is on disk, once it is filled."""
        moments, kept, rows = Moments.empty(self.net.dimension), [], 0
        for start in range(0, self.count, SHARD):
            part = self._load(start)
            moments = moments.add(part.features)
            if rows < MAX_IN_MEMORY:
                kept.append(part)
                rows += len(part.features)
        features, classes = zip(*kept, strict=True)
        probabilities = np.concatenate(classes)[:MAX_IN_MEMORY] if self.classes else None
        return Features(moments, np.concatenate(features)[:MAX_IN_MEMORY], probabilities)

    def remove(self) -> None:
        """Forget it, and what evaluations left that were stopped and never gone on with."""
        for folder in self.folder.parent.glob("*/"):
            if folder == self.folder or time.time() - folder.stat().st_mtime > LEFT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)

    def _look(self, start, on_progress) -> Extracted:
        """One shard. Whole blocks are dealt out to processes, and by `extract` to devices: the bits stay the same."""
        block = self.net.batch
        places = range(start, min(start + SHARD, self.count), block)
        count, index = jax.process_count(), jax.process_index()
        mine = [np.arange(place, min(place + block, self.count)) for place in places[index::count]]
        progress = lambda done: on_progress(min(start + done * count, self.count))  # noqa: E731
        empty = Extracted(np.empty((0, self.net.dimension), np.float32), np.empty((0, 0), np.float32))
        seen = empty
        if mine:
            blocks = (self.source.read(indices) for indices in mine)
            seen = extract(self.net, blocks, probabilities=self.classes, on_progress=progress)
        features = _dealt(seen.features, block)
        return Extracted(features, _dealt(seen.probabilities, block) if self.classes else None)

    def _path(self, start):
        return self.folder / f"{start:09d}-{min(SHARD, self.count - start):04d}.npz"

    def _save(self, start, part: Extracted) -> None:
        buffer = io.BytesIO()
        np.savez(buffer, **{name: array for name, array in part._asdict().items() if array is not None})
        try:
            write_bytes(self._path(start), buffer.getvalue())
        except OSError as error:
            why = error.strerror or error
            raise InputError(f"{self.folder} cannot be written ({why}): set XDG_CACHE_HOME to another place") from error

    def _load(self, start) -> Extracted | None:
        """A shard, or None if it is not there or not whole."""
        try:
            with np.load(self._path(start), allow_pickle=False) as arrays:
                return Extracted(arrays["features"], arrays["probabilities"] if self.classes else None)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None


def _dealt(mine: np.ndarray, block: int) -> np.ndarray:
    """Rows of all processes, whose blocks were dealt out in turn, in their order."""
    hands = [np.split(rows, range(block, len(rows), block)) for rows in all_gather_array(mine)]
    if len(hands) == 1:
        return mine
    longest = max(map(len, hands))
    blocks = [hand[i] for i in range(longest) for hand in hands if i < len(hand) and len(hand[i])]
    return np.concatenate(blocks)
