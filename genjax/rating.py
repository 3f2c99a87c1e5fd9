"""Sheets for human raters: images of runs beside real ones, and the share of them that raters took for real."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any

import numpy as np

from genjax.errors import InputError
from genjax.evaluation.of_run import Choices, context_of
from genjax.metrics import binomial_interval
from genjax.report.rating import page
from genjax.report.rating.answers import counts, read_all
from genjax.report.rating.key import PAIR, REAL, Key
from genjax.run.restore import load_info, open_task, restore

DEFAULT = Choices()
LONGEST = 3600
"""Seconds that images are shown at most."""

CONFIDENCE = 0.95
"""Of the intervals, which are Clopper and Pearson's."""


@dataclass(frozen=True)
class Rate:
    """The rate of deception of a run: of its images that were shown, the share that raters called real."""

    name: str
    trials: int
    deceived: int
    low: float  # of the interval
    high: float

    @property
    def rate(self) -> float:
        """The share; NaN without an answer."""
        return self.deceived / self.trials if self.trials else float("nan")


def sheet(
    runs: Sequence[str | PathLike],
    choices: Choices = DEFAULT,
    count: int = 50,
    ask: str = PAIR,
    seconds: float = 0.0,
    seed: int = 0,
    step: int | str | None = None,
) -> bytes:
    """The page of a sheet with `count` images of each run, and as many real ones; all that is random is the seed's.

    The images of a run are those of `count` of the seeds 0 to `choices.samples` - 1, the same of all runs; the real
    ones are drawn from the reference without repetition. `step` is that of every run's checkpoint.
    Raises: InputError for runs without samples of images, of several shapes, or a reference that is too small.
    """
    if count > choices.samples:
        raise InputError(f"--count={count}: at most {choices.samples:,} images of a run, those of its first seeds")
    if not 0 <= seconds <= LONGEST:
        raise InputError(f"--seconds={seconds}: expected 0, for no limit, to {LONGEST}")
    _check(runs)
    rng = np.random.default_rng(seed)
    sources, described = [], []
    reference = None
    for run in runs:
        task, state = restore(run, step)
        if reference is not None:  # of the first run, for all
            choices = choices._replace(reference=reference.name, split=reference.split)
        context = context_of(run, task, state, (), choices)
        if reference is not None and context.reference.fingerprint != reference.fingerprint:
            raise InputError(f"{runs[0]} and {run} read {reference.name} in different forms: make a sheet of each")
        reference = reference or context.reference
        sources.append(context.samples)
        weights = context.samples.fingerprint
        described.append({"name": fspath(run), "step": int(state.step), "samples": weights, **context.drawn})
    if reference.size < count * len(runs):
        raise InputError(
            f"{count} real images for each of {len(runs)} runs are {count * len(runs):,}: {reference.name} "
            f"{reference.split} has {reference.size:,}; set a smaller --count, or name another --reference"
        )
    drawn = rng.choice(choices.samples, count, replace=False)
    generated = np.concatenate([source.read(drawn) for source in sources])
    real = reference.read(rng.choice(reference.size, len(generated), replace=False))
    number = np.repeat(np.arange(len(runs)), count)
    if ask == PAIR:
        sides = rng.integers(0, 2, len(number))
        images = np.where(sides[:, None, None, None, None] == [[[[[0]]], [[[1]]]]], real[:, None], generated[:, None])
    else:
        number, sides = np.concatenate([number, np.full(len(real), REAL)]), np.zeros(2 * len(real), int)
        images = np.concatenate([generated, real])[:, None]
    order = rng.permutation(len(number))
    images, trials = images[order], np.stack([number[order], sides[order]], 1)
    digest = hashlib.sha256(np.ascontiguousarray(images)).hexdigest()
    key = Key(seed, ask, seconds, described, reference.describe(), digest, trials.tolist())
    return page.make(key, images)


def _check(runs: Sequence[str | PathLike]) -> None:
    """Refuse runs that one sheet cannot show, before anything is restored. Raises: InputError."""
    if len(set(map(fspath, runs))) < len(runs):
        raise InputError(f"--runs={','.join(map(fspath, runs))} names a run twice: name each once")
    first = tuple(load_info(runs[0])["data"]["shape"])
    for run in runs:
        info, _, task = open_task(run)
        if "sample" not in task.outputs:
            raise InputError(f"{run}: the task {info['config']['task']!r} has no output 'sample': nothing to rate")
        shape = tuple(info["data"]["shape"])
        if len(shape) != 3:
            raise InputError(f"{run} is no run of images, but of shape {list(shape)}: raters are shown images")
        if shape != first:
            raise InputError(
                f"{runs[0]} has images of shape {list(first)}, but {run} of {list(shape)}: one sheet shows images of "
                "one shape; make a sheet of each"
            )


def score(paths: Sequence[str | PathLike]) -> tuple[Key, list[Rate]]:
    """The key of a sheet and the rates that raters' files of answers give, one per run.

    Where images are shown alone, the last rate is that of the real ones: what a perfect model would reach.
    Raises: InputError for files that are no answers, or of several sheets.
    """
    several = read_all([fspath(path) for path in paths])
    key = several[0].key
    rates = []
    for run, trials, deceived in ((row.run, row.trials, row.deceived) for row in counts(several)):
        name = f"real: {key.reference['name']}" if run == REAL else key.runs[run]["name"]
        rates.append(Rate(name, trials, deceived, *binomial_interval(deceived, trials, CONFIDENCE)))
    return key, rates


def as_json(key: Key, rates: Sequence[Rate], raters: int) -> dict[str, Any]:
    """The rates with all that they depend on, for a file."""
    protocol = {"sheet": key.sheet, "seed": key.seed, "ask": key.ask, "seconds": key.seconds, "raters": raters}
    protocol |= {"interval": "Clopper-Pearson", "confidence": CONFIDENCE}
    protocol |= {"runs": key.runs, "reference": key.reference}
    rows = [
        {"name": rate.name, "trials": rate.trials, "deceived": rate.deceived, "low": rate.low, "high": rate.high}
        | ({"rate": rate.rate} if rate.trials else {})
        for rate in rates
    ]
    return {"rates": rows, "protocol": protocol}
