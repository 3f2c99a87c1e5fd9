"""Runs as tasks of a Ray cluster, which places them on nodes with the resources that they need."""

import os
import socket

from experiments.sweeps import process
from experiments.sweeps.executor import LOST, SAVED
from experiments.sweeps.needs import Needs, as_ray
from experiments.sweeps.plan import Run
from genjax.errors import InputError


class Task:
    """A task that keeps a run's process."""

    def __init__(self, ray, run: Run, reference):
        self._ray, self._reference = ray, reference
        self._log = process.Log(run)
        self._words = ""

    def poll(self) -> int | None:
        """The exit code; `LOST` if the task's worker or node died."""
        errors = self._ray.exceptions
        ready, _ = self._ray.wait([self._reference], timeout=0)
        if not ready:
            return None
        try:
            return self._ray.get(self._reference)
        except errors.TaskCancelledError:  # before it began
            return SAVED
        except errors.RayTaskError as error:  # a fault of `keep` itself, such as a folder that is not there
            self._words = str(error).strip().splitlines()[-1]
            return 1
        except errors.RayError as error:
            self._words = str(error).strip().splitlines()[0]
            return LOST

    def stop(self, number: int) -> None:
        """Interrupt the task, which asks its run to save and end."""
        self._ray.cancel(self._reference)

    def reason(self, code: int) -> str:
        """The words of Ray about the task, or else those of the run."""
        return self._words or self._log.reason(code)


class OnRay:
    """Submits each run as a task to the cluster at RAY_ADDRESS, or the one that this machine belongs to."""

    resubmits = True
    leaves = ""

    def __init__(self, needs: Needs, at_once: int | None):
        try:
            import ray
        except ImportError as error:
            raise InputError("--on=ray needs Ray: pip install 'genjax[ray]'") from error
        address = os.environ.get("RAY_ADDRESS") or "auto"
        try:
            _check(address)
            ray.init(address=address, log_to_driver=False, logging_level="error", ignore_reinit_error=True)
        except (OSError, ValueError) as error:
            raise InputError(
                f"--on=ray: no Ray cluster at {address!r}: `ray start --head` begins one, or set RAY_ADDRESS=host:port"
            ) from error
        self.at_once = at_once
        self._ray = ray
        self._needs = needs
        self._keep = ray.remote(**as_ray(needs))(process.keep)

    def submit(self, run: Run) -> Task:
        """Submit a run."""
        run.path.mkdir(parents=True, exist_ok=True)
        process.describe(run, self._needs.cores)
        return Task(self._ray, run, self._keep.remote(process.call(run, self._needs.cores)))


def _check(address: str) -> None:
    """Raises: OSError or ValueError if nothing listens at "host:port", which Ray itself waits for a long time."""
    if address != "auto":
        host, _, port = address.rpartition(":")
        socket.create_connection((host, int(port)), timeout=10).close()
