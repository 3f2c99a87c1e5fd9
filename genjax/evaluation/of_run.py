"""The inputs of an evaluation of a trained run: its samples, the data that they are compared with, and feature nets."""

import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from os import PathLike
from typing import NamedTuple

from genjax.engine.outputs import check_truncation, noise_option
from genjax.engine.phase import Task
from genjax.engine.state import State
from genjax.errors import InputError
from genjax.evaluation import registry, sources
from genjax.evaluation.context import EvalContext, OnProgress, silent
from genjax.evaluation.metric import Metric
from genjax.evaluation.nets import open_feature_nets
from genjax.evaluation.selection import SAMPLES
from genjax.run.restore import check_own_data, open_config


class Choices(NamedTuple):
    """The choices of an evaluation of a run; "" is what the run itself has."""

    reference: str = ""  # the data that samples are compared with
    split: str = ""  # of the reference; of other data "train"
    heldout: str = ""  # the split of the reference that was not trained on
    features: str = "squeezenet"
    samples: int = SAMPLES
    ema: bool = True  # whether averaged weights are used where the run has them
    truncation: float | None = None
    classes: str = ""  # the classes of samples: in the shares of the reference, or uniform
    noise: str = ""  # in a StyleGAN's layers, of genjax.config.NOISE


def context_of(
    workdir: PathLike,
    task: Task,
    state: State,
    metrics: Iterable[Metric],
    choices: Choices,
    progress: Callable[[str, int], AbstractContextManager[OnProgress]] = silent,
) -> EvalContext:
    """The inputs of an evaluation of the run in a folder, with its task and state; warnings go to stderr.

    Raises: InputError for data of another shape, and for choices that the task does not take.
    """
    info, config = open_config(workdir)
    form = config.data
    own = choices.reference in ("", form.name)
    split = choices.split or (form.split if own else "train")
    check_truncation(choices.truncation, task.outputs)
    if choices.classes and not task.classes:
        raise InputError(f"--classes={choices.classes}: {workdir} is a run without classes")
    reference = sources.open_images(choices.reference or form.name, split, form)
    if own:
        check_own_data(info, reference)
    samples = None
    options = {}
    nets = []
    drawn = {}
    if "sample" in task.outputs:
        options = {"ema": choices.ema, "truncation": choices.truncation}
        key = "--noise" if choices.noise else "eval.noise"
        options |= noise_option(choices.noise or config.eval.noise, task.outputs, key)
        names = info["data"]["labels"]
        shares = choices.classes or config.eval.classes
        drawn, frequencies = sources.classes_of(task, reference, names, shares)
        if drawn and drawn["classes"] != shares:
            _warn(f"{reference.name} has no labels of the run's classes: samples are of all classes equally often")
        shape = tuple(info["data"]["shape"])
        samples = sources.samples_of(
            task, state, shape, choices.samples, names, frequencies, config.data.bits, **options
        )
        sources.check_same_shape(samples, reference)
        if not own and (warning := sources.differing_forms(info["data"].get("form", ""), reference.form)):
            _warn(warning)
        nets = open_feature_nets(choices.features, reference)
    heldout = None
    if registry.need_heldout(metrics):
        heldout_split = choices.heldout or (config.eval.heldout if own else "")
        heldout = sources.heldout(reference.name, heldout_split, form, reference.fingerprint)
    return EvalContext(samples, reference, heldout, nets, task, state, options, drawn, progress)


def _warn(text):
    print(f"warning: {text}", file=sys.stderr)
