"""Evaluations during training, as config.eval asks for them, within a share of the run's time."""

import time
from collections.abc import Callable
from typing import Any

from ml_collections import ConfigDict

from genjax.data.source import Source
from genjax.engine.distributed import run_on_main
from genjax.engine.phase import Task
from genjax.engine.state import State
from genjax.errors import InputError
from genjax.evaluation import registry, sources
from genjax.evaluation.context import EvalContext
from genjax.evaluation.evaluate import evaluate
from genjax.evaluation.nets import open_nets


class EvalSchedule:
    """When a run is judged, and how: always by the whole protocol, so that its numbers compare; or not at all."""

    def __init__(self, config: ConfigDict, source: Source, task: Task):
        """Opens what evaluations need. Raises: InputError for what config.eval asks for and cannot have."""
        c = self.config = config.eval
        self.source, self.task, self.steps = source, task, task.steps
        self.spent, self.cost, self.skipped = 0.0, 0.0, 0  # seconds in all, of the last one; skipped since then
        if c.every < 0 or c.samples < 2 or not c.budget > 0:
            raise InputError(
                f"eval: every={c.every}, samples={c.samples}, budget={c.budget}: expected every >= 0 (0: never), "
                "samples >= 2 and budget > 0, a share of the run's time"
            )
        self.names = registry.parse(c.metrics) if c.every else []
        self.makes_samples = "sample" in task.outputs
        self.nets = open_nets(c.features, source) if self.makes_samples and registry.OF_NETS.keys() & self.names else []
        self.heldout = None
        if c.every and registry.need_heldout(self.names):
            self.heldout = sources.heldout(source.name, c.heldout, config.data, source.fingerprint)

    def begin(self, watch: Callable[[str, int], Any]) -> None:
        """See the reference before training, which no budget counts; several processes do it together."""
        case = self._case(None)
        case.watch = watch
        for net in self.nets:
            case.look(net, "reference", bool(registry.NEED_CLASSES.intersection(self.names)))

    def due(self, step: int, seconds: float, say: Callable[[str], None]) -> bool:
        """Whether the run is judged at this step, after so many seconds of training; the same in all processes."""
        if not self.config.every or (step % self.config.every and step < self.steps):
            return False
        return run_on_main(lambda: self._affordable(step, seconds, say))

    def _affordable(self, step, seconds, say):
        share = (self.spent + self.cost) / (seconds + self.spent + self.cost)
        if step == self.steps or share <= self.config.budget:
            self.skipped = 0
            return True
        if not self.skipped:
            say(f"step {step:,}: not judged, it would take {share:.0%} of the time (eval.budget={self.config.budget})")
        self.skipped += 1
        return False

    def judge(self, state: State, step: int, warn: Callable[[str], None]) -> tuple[list[dict[str, Any]], dict]:
        """Rows of metrics.jsonl, and images by file name; several processes do it together."""
        start = time.perf_counter()
        case = self._case(state)
        results = evaluate(case, self.names, optional=True, warn=warn)
        self.cost = time.perf_counter() - start
        self.spent += self.cost
        return [result.row(step, case.subject()) for result in results], case.artifacts

    def _case(self, state):
        samples, options = None, {}
        if self.makes_samples and state is not None:
            options = {"ema": True, "truncation": None}
            names = self.source.label_names
            samples = sources.samples_of(self.task, state, self.source.shape, self.config.samples, names, **options)
        return EvalContext(samples, self.source, self.heldout, self.nets, self.task, state, options)
