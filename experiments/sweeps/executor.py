"""The interface of a scheduler that carries a sweep's runs out: of `on_local`, `on_slurm` and `on_ray`."""

import signal
from typing import Protocol

from experiments.sweeps.plan import Run

LOST = -signal.SIGKILL
"""The exit code of a run whose machine or process vanished without a word."""

SAVED = 128 + signal.SIGTERM
"""The exit code of a run that was asked to save and end."""


class Handle(Protocol):
    """A run that was submitted."""

    def poll(self) -> int | None:
        """The exit code of the run's process (`genjax.cli`; -n: killed by signal n), or None until it has ended."""

    def stop(self, number: int) -> None:
        """Ask it to save and end; asked twice, it ends at once."""

    def reason(self, code: int) -> str:
        """The reason of a failure in one line."""


class Executor(Protocol):
    """A scheduler."""

    at_once: int | None
    """Runs that are submitted at a time; None: all, and the scheduler's own queue orders them."""

    resubmits: bool
    """Whether a run that was lost or preempted is submitted again, to go on from its newest checkpoint."""

    leaves: str
    """What becomes of submitted runs when the sweep is interrupted, if they are left alone; "": they save and end."""

    def submit(self, run: Run) -> Handle:
        """Submit a run. Raises: InputError if the scheduler refuses it."""
