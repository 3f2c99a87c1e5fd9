"""A task is an `init` plus phases; a phase is a pure step over one state, repeated."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax

from genjax.engine.state import Key, State

Batch = dict[str, jax.Array]  # "x" [reals, B, ...], "label" [reals, B] where the data has labels
Metrics = dict[str, jax.Array]  # scalars
Step = Callable[..., tuple[State, Metrics]]  # of State, Batch, Key, and what its phase prepares


def identity(state: State, key: Key) -> State:
    """Enter a phase with the state as it is."""
    return state


def no_extras(state: State) -> Mapping[str, Any]:
    """Prepare nothing."""
    return {}


@dataclass(frozen=True)
class Phase:
    """`steps` repetitions of one step."""

    name: str
    steps: int
    batch: int  # real examples in one inner update, over all devices
    step: Step  # static choices are closed over
    batches_per_step: int = 1  # real batches that a step consumes: n_critic
    enter: Callable[[State, Key], State] = identity  # runs once, when the phase begins
    image_size: int = (
        0  # pixels a side that its images may be shrunk to, as means of blocks, when they are read; 0: as is
    )
    subset: int = 0  # it sees: the first of the source's shuffled order, the same for a seed; 0: all
    prepare: Callable[[State], Mapping[str, Any]] = no_extras  # what steps take besides, in arrays of its own

    def prepared_step(self, state: State, batch: Batch, key: Key) -> tuple[State, Metrics]:
        """A step for which alone all is prepared."""
        return self.step(state, batch, key, **self.prepare(state))


@dataclass(frozen=True)
class Task:
    """What is trained: nets x losses."""

    init: Callable[[Key], State]
    phases: tuple[Phase, ...]
    outputs: Mapping[str, Callable] = field(default_factory=dict)  # "sample", "reconstruct", "encode", ...
    classes: int = 0  # numbers at the end of a latent that are its class's one-hot; that of a sample is seed % classes

    @property
    def steps(self) -> int:
        """Steps over all phases."""
        return sum(phase.steps for phase in self.phases)


@dataclass(frozen=True)
class ScheduledPhase:
    """A phase in its place."""

    phase: Phase
    start: int  # the global step at which it begins
    first_example: int  # of the endless shuffled stream of examples

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
