"""An evaluation: metrics by name, each number with its protocol."""

import contextlib
import time
import warnings
from collections.abc import Callable, Sequence

from genjax.engine.distributed import run_on_main
from genjax.errors import InputError, NotApplicable
from genjax.evaluation import registry
from genjax.evaluation.context import EvalContext
from genjax.evaluation.protocol import Result, versions


def evaluate(
    case: EvalContext,
    names: Sequence[str],
    *,
    optional: bool = False,
    warn: Callable[[str], None] = print,
    skip: Callable[[str, str], None] = lambda name, why: None,
) -> list[Result]:
    """What the metrics of these names find; several processes call this together, and process 0 does the arithmetic.

    `optional` leaves out metrics that the case does not have or that refuse it, each told to `skip`; `warn` hears of
    doubtful numbers.
    Raises: InputError if a metric that is not optional does not apply, or its input does not fit.
    """
    if case.samples is not None and any(name in registry.OF_NETS for name in names):
        for net in case.nets:
            for which in ("samples", "reference"):
                case.look(net, which, bool(registry.NEED_CLASSES.intersection(names)))
    rows = run_on_main(lambda: [list(result) for result in _results(case, names, optional, warn, skip)])
    run_on_main(case.forget_samples)
    return [Result(*row) for row in rows]


def _results(case, names, optional, warn, skip):
    for name in names:
        for net in (name in registry.OF_NETS and case.nets) or [None]:
            start, label = time.perf_counter(), name if net is None else f"{name} ({net.name})"
            try:
                watch = case.watch(label, 0) if name not in registry.WATCHED else contextlib.nullcontext()
                with watch, warnings.catch_warnings(record=True) as heard:
                    warnings.simplefilter("always")
                    values, settings = _one(case, name, net)
            except InputError as error:
                if not optional:
                    raise InputError(f"{label}: {error}") from error
                skip(label, str(error))
                continue
            for warning in heard:
                warn(f"{label}: {warning.message}")
            seconds = time.perf_counter() - start
            yield Result(name, values, _protocol(case, name, net, settings), seconds)


def _one(case, name, net):
    if name in registry.OF_RUNS:
        return registry.OF_RUNS[name](case)
    if case.samples is None:
        raise NotApplicable("it is of samples, which this task does not make")
    return registry.OF_NETS[name](case, net) if net else registry.OF_SAMPLES[name](case)


def _protocol(case, name, net, settings):
    """All that the number depends on but what is judged."""
    found = {"metric": name, "settings": settings}
    if name in registry.WITH_SAMPLES and case.samples is not None:
        found["samples"] = {"count": case.samples.size, "type": case.samples.dtype.name}
        if case.options.get("truncation") is not None:
            found["samples"]["truncation"] = case.options["truncation"]
    if name in registry.WITH_REFERENCE:
        found["reference"] = case.reference.describe()
    if net:
        found["features"] = {"net": net.name, "sha256": net.sha256, "resize": net.resize}
    return found | {"versions": versions()}
