"""Features of a source of images, cached in shards on disk: extracted once, and resumed after an interruption."""

import hashlib
import io
import json
import shutil
import time
from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np

from genjax.data.source import Source
from genjax.engine.distributed import all_gather_array, run_on_main
from genjax.errors import InputError
from genjax.evaluation.selection import select
from genjax.files import cache_folder, write_bytes
from genjax.metrics.features import Extracted, FeatureNet, extract
from genjax.metrics.frechet import Moments

SHARD = 4096  # images per file
MAX_IN_MEMORY = 50_000
"""Number of images, chosen by a fixed seed, whose features are kept in memory. Moments are of all images."""

ABANDONED_SECONDS = 7 * 86_400
"""Age of features of samples at which a stopped evaluation counts as abandoned."""


class Features(NamedTuple):
    """The moments of all N images, and the features (and probabilities) of at most MAX_IN_MEMORY."""

    moments: Moments
    features: np.ndarray  # float32 [min(N, MAX_IN_MEMORY), D]
    probabilities: np.ndarray | None  # float32 [min(N, MAX_IN_MEMORY), classes]


class FeatureCache:
    """The shards of one source and one net."""

    def __init__(self, net: FeatureNet, source: Source, count: int, probabilities: bool, kind: str):
        """Features, and probabilities if asked for, of the first `count` images; `kind` is a folder of the cache."""
        self.net = net
        self.source = source
        self.count = count
        self.probabilities = probabilities = probabilities and net.has_probabilities
        key = [source.fingerprint, list(source.shape), net.name, net.sha256, net.resize, probabilities, net.batch]
        key += [SHARD, jax.__version__, jax.default_backend()]
        self.folder = cache_folder("features") / kind / hashlib.sha256(json.dumps(key).encode()).hexdigest()[:32]

    def fill(
        self, on_progress: Callable[[int], None] = lambda done: None, before_each: Callable[[], None] = lambda: None
    ) -> None:
        """Extract all missing shards. Collective; `on_progress` is called with the number of images that are done.

        `before_each` is called before each shard and may end the work, which goes on from there another time.
        """
        starts = range(0, self.count, SHARD)
        missing = run_on_main(lambda: [start for start in starts if self._load(start) is None])
        for start in missing:
            before_each()
            shard = self._extract(start, on_progress)
            run_on_main(lambda start=start, shard=shard: self._save(start, shard))
        on_progress(self.count)

    def read(self) -> Features:
        """The features on disk, after `fill`."""
        moments = Moments.empty(self.net.dimension)
        chosen = select(self.count, MAX_IN_MEMORY)
        features = []
        probabilities = []
        for start in range(0, self.count, SHARD):
            shard = self._load(start)
            moments = moments.add(shard.features)
            rows = chosen[(start <= chosen) & (chosen < start + SHARD)] - start
            features.append(shard.features[rows])
            if self.probabilities:
                probabilities.append(shard.probabilities[rows])
        return Features(moments, np.concatenate(features), np.concatenate(probabilities) if probabilities else None)

    def remove(self) -> None:
        """Delete these features, and those of abandoned evaluations."""
        for folder in self.folder.parent.glob("*/"):
            if folder == self.folder or time.time() - folder.stat().st_mtime > ABANDONED_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)

    def _extract(self, start, on_progress) -> Extracted:
        """One shard. Collective.

        Blocks of fixed size are assigned round-robin to processes, and by `extract` to devices, so that the bits do not
        depend on the number of either.
        """
        block = self.net.batch
        processes = jax.process_count()
        block_starts = range(start, min(start + SHARD, self.count), block)
        own_starts = block_starts[jax.process_index() :: processes]
        own = Extracted(np.empty((0, self.net.dimension), np.float32), np.empty((0, 0), np.float32))
        if own_starts:
            blocks = (self.source.read(np.arange(first, min(first + block, self.count))) for first in own_starts)
            own = extract(
                self.net,
                blocks,
                probabilities=self.probabilities,
                on_progress=lambda done: on_progress(min(start + done * processes, self.count)),
            )
        features = _all_gather_blocks(own.features, block)
        return Extracted(features, _all_gather_blocks(own.probabilities, block) if self.probabilities else None)

    def _path(self, start):
        return self.folder / f"{start:09d}-{min(SHARD, self.count - start):04d}.npz"

    def _save(self, start, shard: Extracted) -> None:
        buffer = io.BytesIO()
        np.savez(buffer, **{name: array for name, array in shard._asdict().items() if array is not None})
        try:
            write_bytes(self._path(start), buffer.getvalue())
        except OSError as error:
            reason = error.strerror or error
            raise InputError(
                f"{self.folder} cannot be written ({reason}): set XDG_CACHE_HOME to another folder"
            ) from error

    def _load(self, start) -> Extracted | None:
        """A shard, or None if it is absent or damaged."""
        try:
            with np.load(self._path(start), allow_pickle=False) as arrays:
                return Extracted(arrays["features"], arrays["probabilities"] if self.probabilities else None)
        except Exception:  # NumPy and zipfile raise anything for damaged files
            return None


def _all_gather_blocks(own: np.ndarray, block: int) -> np.ndarray:
    """The rows of all processes in their order, given that blocks were assigned round-robin. Collective."""
    by_process = [np.split(rows, range(block, len(rows), block)) for rows in all_gather_array(own)]
    if len(by_process) == 1:
        return own
    rounds = max(map(len, by_process))
    blocks = [mine[i] for i in range(rounds) for mine in by_process if i < len(mine) and len(mine[i])]
    return np.concatenate(blocks)
