"""Metrics of samples that are sequences of tokens."""

from typing import TYPE_CHECKING

import numpy as np

from genjax.errors import NotApplicable
from genjax.evaluation.metric import LOWER, Measured, Quantity, metric, warn_of_few

if TYPE_CHECKING:
    from genjax.evaluation.context import EvalContext

SEQUENCES = 10_000  # the most that the oracle scores

NLL_ORACLE = Quantity("NLL by the oracle", LOWER, unit="nats per token")
ENTROPY = Quantity("NLL by the oracle, of the reference", None, unit="nats per token")
NLL_TEST = Quantity("NLL of held-out sequences", LOWER, unit="nats per token")


@metric(NLL_ORACLE, ENTROPY, applies_to="sequences of an oracle, such as `oracle_5000x20`")
def nll_oracle(context: "EvalContext") -> Measured:
    """Negative log-likelihood of samples under the oracle; beside it, that of the oracle's own sequences."""
    oracle = context.reference.oracle
    if oracle is None:
        raise NotApplicable("it is for sequences of tokens of a known distribution, such as oracle_5000x20")
    warn_of_few(context.samples.size, "likelihoods of few sequences are mostly of these")
    values = []
    for quantity, name, count in ((NLL_ORACLE, "samples", SEQUENCES), (ENTROPY, "reference", SEQUENCES // 10)):
        x = context.take(name, count)[..., 0].astype(np.int64)
        each = -oracle.log_probability(x) / x.shape[1]
        values.append(quantity.value(each.mean(), std=each.std() / np.sqrt(len(each))))
    return values, {"count": min(SEQUENCES, context.samples.size), "std": "standard error"}


@metric(NLL_TEST, samples=False, reference=False, heldout=True, applies_to="generators of sequences of tokens")
def nll_test(context: "EvalContext") -> Measured:
    """Negative log-likelihood of held-out sequences under the generator."""
    from functools import partial

    from genjax.engine.outputs import apply_in_batches
    from genjax.evaluation.examples import blocks

    task = context.need_outputs("log_probability")
    heldout = context.need_heldout()
    score = partial(apply_in_batches, task.outputs["log_probability"], context.local_state)
    ema = context.options.get("ema", True)
    each = [-score(x, ema=ema) / x.shape[1] for x in blocks(heldout, np.arange(heldout.size))]
    described = {"heldout": f"{heldout.name} {heldout.split}, {heldout.size}", "fingerprint": heldout.fingerprint}
    return [NLL_TEST.value(np.concatenate(each).mean(dtype=np.float64))], described
