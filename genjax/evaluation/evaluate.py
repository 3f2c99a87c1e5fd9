"""An evaluation: values of metrics, each with its protocol."""

import contextlib
import time
import warnings
from collections.abc import Callable, Iterator, Sequence

from genjax.engine.distributed import run_on_main
from genjax.errors import InputError, NotApplicable
from genjax.evaluation.context import EvalContext
from genjax.evaluation.metric import Metric
from genjax.evaluation.protocol import Result, versions
from genjax.evaluation.selection import CHOSEN, REFERENCE
from genjax.metrics.features import FeatureNet


def evaluate(
    context: EvalContext,
    metrics: Sequence[Metric],
    *,
    optional: bool = False,
    warn: Callable[[str], None] = print,
    on_skip: Callable[[str, str], None] = lambda label, reason: None,
) -> list[Result]:
    """Results of metrics (`registry.parse` has them by name). Collective: all processes call this together.

    `optional` leaves out metrics that do not apply or refuse their input, and calls `on_skip(label, reason)` for each;
    `warn` is called with the text of each warning. The arithmetic is done by process 0.
    Raises: InputError if a metric that is not optional does not apply, or its input does not fit.
    """
    if context.samples is not None:
        context.extract_features(metrics)
    rows = run_on_main(lambda: [result.as_json() for result in _results(context, metrics, optional, warn, on_skip)])
    run_on_main(context.forget_samples)
    return [Result.from_json(row) for row in rows]


def _results(context, metrics, optional, warn, on_skip) -> Iterator[Result]:
    for metric in metrics:
        for net in (metric.per_net and context.nets) or [None]:
            label = metric.name if net is None else f"{metric.name} ({net.name})"
            start = time.perf_counter()
            progress = contextlib.nullcontext() if metric.own_progress else context.progress(label, 0)
            try:
                with progress, warnings.catch_warnings(record=True) as caught:
                    warnings.simplefilter("always")
                    values, settings = _measure(context, metric, net)
            except InputError as error:
                if not optional:
                    raise InputError(f"{label}: {error}") from error
                on_skip(label, str(error))
                continue
            for warning in caught:
                warn(f"{label}: {warning.message}")
            protocol = _protocol(context, metric, net, settings)
            yield Result(metric.name, values, protocol, time.perf_counter() - start)


def _measure(context: EvalContext, metric: Metric, net: FeatureNet | None):
    if metric.samples and context.samples is None:
        raise NotApplicable("it is of samples, which this task does not make")
    if metric.per_net and net is None:
        raise NotApplicable("it needs features, and there is no feature net for these examples")
    context.chosen = False
    values, settings = metric.measure(context, net) if metric.per_net else metric.measure(context)
    return values, settings | (CHOSEN if context.chosen else {})


def _protocol(context: EvalContext, metric: Metric, net: FeatureNet | None, settings: dict) -> dict:
    """All that a value depends on, except the samples themselves."""
    protocol = {"metric": metric.name, "settings": settings}
    if metric.samples:
        protocol["samples"] = {"count": context.samples.size, "type": context.samples.dtype.name} | context.drawn
        if context.samples.form:
            protocol["samples"]["form"] = context.samples.form
        if context.options.get("truncation") is not None:
            protocol["samples"]["truncation"] = context.options["truncation"]
        if "noise" in context.options:
            protocol["samples"]["noise"] = context.options["noise"]
    if metric.reference or (metric.samples and context.drawn.get("classes") == REFERENCE):
        protocol["reference"] = context.reference.describe()
    if net:
        protocol["features"] = {"net": net.name, "sha256": net.sha256, "resize": net.resize}
    if metric.code_sha256:
        protocol["code"] = {"sha256": metric.code_sha256}
    return protocol | {"versions": versions()}
