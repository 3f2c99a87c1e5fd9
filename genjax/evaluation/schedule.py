"""Evaluations during training, as config.eval asks for them, within a share of the run's time."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import numpy as np
from ml_collections import ConfigDict

from genjax.config import pick
from genjax.data.source import Source
from genjax.engine.distributed import collective, run_on_main
from genjax.engine.outputs import noise_option
from genjax.engine.phase import Task
from genjax.engine.state import State
from genjax.errors import InputError
from genjax.evaluation import criterion, registry, selection, sources
from genjax.evaluation.context import EvalContext, OnProgress, silent
from genjax.evaluation.evaluate import evaluate
from genjax.evaluation.nets import open_feature_nets


class Decision(NamedTuple):
    """Whether a run is evaluated now, and a line for the user, if there is something to say."""

    due: bool
    note: str = ""


class Evaluation(NamedTuple):
    """The results of one evaluation."""

    rows: list[dict[str, Any]]  # of metrics.jsonl
    images: dict[str, Any]  # by file name
    seconds: float


class EvalSchedule:
    """The steps at which a run is evaluated, and how: always by the whole protocol, so that its numbers compare."""

    def __init__(self, config: ConfigDict, source: Source, task: Task):
        """Raises: InputError if config.eval asks for something that is not available."""
        c = self.config = config.eval
        self.source = source
        self.task = task
        self.before_each: Callable[[], None] = lambda: None  # see `EvalContext`
        self.cost = 0.0  # seconds of the last evaluation
        self.skipped = 0  # evaluations since then that the budget did not allow
        if c.every < 0 or c.samples < 2 or not c.budget > 0:
            raise InputError(
                f"eval: every={c.every}, samples={c.samples}, budget={c.budget}: expected every >= 0 (0: never), "
                "samples >= 2 and budget > 0, a share of the run's time"
            )
        pick(selection.CLASSES, c.classes, "eval.classes")
        self.metrics = registry.parse(c.metrics, "eval.metrics") if c.every else []
        self.makes_samples = "sample" in task.outputs
        self.options = {"ema": True, "truncation": None}
        if self.makes_samples:
            self.options |= noise_option(c.noise, task.outputs, "eval.noise")
        needs_nets = self.makes_samples and any(metric.per_net for metric in self.metrics)
        self.nets = open_feature_nets(c.features, source) if needs_nets else []
        self.criterion = criterion.parse(c, self.metrics, self.nets, self.makes_samples)
        self.heldout = None
        if registry.need_heldout(self.metrics):
            self.heldout = sources.heldout(source.name, c.heldout, config.data, source.fingerprint)

    @collective
    def extract_reference(self, progress: Callable[[str, int], AbstractContextManager[OnProgress]] = silent) -> None:
        """Extract the reference's features before training, outside the budget."""
        context = EvalContext(None, self.source, self.heldout, self.nets, self.task, progress=progress)
        context.before_each = self.before_each
        context.extract_features(self.metrics, ["reference"])

    @collective
    def due(self, step: int, training_seconds: float, evaluation_seconds: float) -> Decision:
        """The decision at a step, given the seconds of training and of evaluations; the same in all processes."""
        if not self.config.every or (step % self.config.every and step < self.task.steps):
            return Decision(False)
        return Decision(*run_on_main(lambda: self._decide(step, training_seconds, evaluation_seconds)))

    def _decide(self, step, training_seconds, evaluation_seconds) -> Decision:
        with_next = evaluation_seconds + self.cost
        share = with_next / (training_seconds + with_next)
        if step == self.task.steps or share <= self.config.budget:
            self.skipped = 0
            return Decision(True)
        self.skipped += 1
        if self.skipped > 1:
            return Decision(False)
        budget = f"eval.budget={self.config.budget}"
        return Decision(False, f"step {step:,}: no evaluation, it would take {share:.0%} of the time ({budget})")

    @collective
    def evaluate(self, state: State, step: int, warn: Callable[[str], None]) -> Evaluation:
        """Evaluate a state; warnings of metrics go to `warn`."""
        start = time.perf_counter()
        context = self._context(state)
        results = evaluate(context, self.metrics, optional=True, warn=warn)
        self.cost = time.perf_counter() - start
        rows = [result.row(step, context.describe_subject()) for result in results]
        return Evaluation(rows, context.images, self.cost)

    def _context(self, state):
        context = EvalContext(None, self.source, self.heldout, self.nets, self.task, state)
        context.before_each = self.before_each
        if self.makes_samples:
            context.options = self.options
            names = self.source.label_names
            context.drawn, frequencies = sources.classes_of(self.task, self.source, names, self.config.classes)
            bits = 16 if self.source.dtype == np.uint16 else 8
            context.samples = sources.samples_of(
                self.task, state, self.source.shape, self.config.samples, names, frequencies, bits, **context.options
            )
        return context
