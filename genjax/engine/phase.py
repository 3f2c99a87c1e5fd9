"""A task is an `init` plus phases; a phase is a pure step over one state, repeated."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax

from genjax.engine import outputs
from genjax.engine.state import Key, State
from genjax.errors import NotApplicable

Batch = dict[str, jax.Array]  # "x" [batches, B, ...], "label" [batches, B] where the data has labels
Metrics = dict[str, jax.Array]  # scalars
Step = Callable[..., tuple[State, Metrics]]  # (state, batch, key, **what its phase prepares)


def identity(state: State, key: Key) -> State:
    """Enter a phase without changing the state."""
    return state


def no_extras(state: State) -> Mapping[str, Any]:
    """Prepare nothing."""
    return {}


def nothing() -> Mapping[str, Any]:
    """Read nothing."""
    return {}


@dataclass(frozen=True)
class Phase:
    """`steps` repetitions of one step.

    Fields:
        name: shown while training.
        steps: how many.
        batch: real examples per inner update, over all devices.
        step: the pure step; static choices are closed over.
        batches_per_step: real batches that one step consumes (n_critic).
        enter: maps the state once, when the phase begins: (state, key, **inputs()).
        image_size: if > 0, a streaming feed may downsample images to this height (exact block means) before transfer.
        subset: if > 0, train on the first `subset` examples of the seed's shuffled order only.
        prepare: computes extra keyword arguments of `step`, once per phase and outside the compiled call, such as
            transformed kernels of a frozen net: (state, **inputs()).
        inputs: reads arrays from files, on the host, for `enter` and `prepare`, as keyword arguments. It is called when
            the phase begins and when a run resumes in it.
        samples: False if the net that makes samples is not trained: until another phase begins, nothing is expected of
            them.
    """

    name: str
    steps: int
    batch: int
    step: Step
    batches_per_step: int = 1
    enter: Callable[..., State] = identity
    image_size: int = 0
    subset: int = 0
    prepare: Callable[..., Mapping[str, Any]] = no_extras
    inputs: Callable[[], Mapping[str, Any]] = nothing
    samples: bool = True

    def prepared_step(self, state: State, batch: Batch, key: Key) -> tuple[State, Metrics]:
        """`prepare` and one step: for tests and estimates of cost."""
        return self.step(state, batch, key, **self.prepare(state, **self.inputs()))


@dataclass(frozen=True)
class Task:
    """Nets, losses and their training, and the outputs of the trained nets.

    Fields:
        init: makes the state of step 0.
        phases: trained one after the other.
        outputs: functions by the names of `genjax.engine.outputs.OUTPUTS`, whose contract they fulfil.
        classes: if > 0, the last `classes` entries of a latent are the one-hot of its class, and seed s has the class
            s % classes.
        layers: of a generator with styles, the number of styles of an image.
        files: reads the files that phases take as `inputs`, and returns a digest per name. A run records them, and is
            not resumed if one has changed. Raises: InputError if one cannot be read.

    Raises: InputError for an output that breaks its contract.
    """

    init: Callable[[Key], State]
    phases: tuple[Phase, ...]
    outputs: Mapping[str, Callable] = field(default_factory=dict)
    classes: int = 0
    layers: int = 0
    files: Callable[[], Mapping[str, str]] = nothing

    def __post_init__(self):
        """Check the outputs."""
        outputs.check(self.outputs)

    @property
    def steps(self) -> int:
        """Steps over all phases."""
        return sum(phase.steps for phase in self.phases)

    @property
    def first_sampled(self) -> int:
        """The step at which a phase begins that trains the net that makes samples."""
        return next((phase.start for phase in scheduled_phases(self) if phase.phase.samples), self.steps)

    def need(self, *names: str) -> None:
        """Raises: NotApplicable if the task lacks one of the outputs."""
        for name in names:
            if name not in self.outputs:
                raise NotApplicable(f"the task has no output {name!r}; it has {', '.join(self.outputs) or 'none'}")


@dataclass(frozen=True)
class ScheduledPhase:
    """A phase with the step and the example at which it begins."""

    phase: Phase
    start: int  # the global step at which it begins
    first_example: int  # its position in the endless shuffled stream of examples

    @property
    def stop(self) -> int:
        """The global step at which the next phase begins."""
        return self.start + self.phase.steps


def scheduled_phases(task: Task) -> Iterator[ScheduledPhase]:
    """The phases of a task with the global steps and examples at which they begin."""
    step = example = 0
    for phase in task.phases:
        yield ScheduledPhase(phase, step, example)
        step += phase.steps
        example += phase.steps * phase.batches_per_step * phase.batch
