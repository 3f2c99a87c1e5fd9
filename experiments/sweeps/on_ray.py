"""Runs as tasks of a Ray cluster, which places them on nodes with the resources that they need."""

import contextlib
import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
from typing import Any

from experiments.sweeps import process
from experiments.sweeps.executor import LOST
from experiments.sweeps.needs import Needs, as_ray
from experiments.sweeps.plan import Run
from genjax.errors import InputError

PATIENCE = 600.0  # seconds to wait for a cluster that was there before
POLL = 2.0  # seconds between two tries


class Gone(Exception):
    """The cluster's head is lost, and all tasks with it."""


class Task:
    """A task that keeps a run's process."""

    def __init__(self, cluster: "Cluster", run: Run, number: int):
        self._cluster, self._number = cluster, number
        self._log = process.Log(run)
        self._words = ""

    def poll(self) -> int | None:
        """The exit code; `LOST` if the task's worker or node died, or the head of its cluster."""
        try:
            code, self._words = self._cluster.ask("poll", self._number)
        except Gone as error:
            code, self._words = LOST, str(error)
        return code

    def stop(self, number: int) -> None:
        """Interrupt the task, which asks its run to save and end."""
        with contextlib.suppress(Gone):
            self._cluster.ask("cancel", self._number)

    def reason(self, code: int) -> str:
        """The words of Ray about the task, or else those of the run."""
        return self._words or self._log.reason(code)


class Cluster:
    """A cluster until its head is lost, through a process of its own (see `ray_client`)."""

    def __init__(self, address: str, needs: Needs):
        """Raises: ConnectionError if there is none."""
        command = [sys.executable, "-m", "experiments.sweeps.ray_client", address, json.dumps(as_ray(needs))]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lost = False
        try:
            reason = self._answer()
        except Gone as error:
            reason = str(error)
        if reason:
            raise ConnectionError(reason)

    def ask(self, verb: str, value: Any) -> Any:
        """The answer to a request. Raises: Gone."""
        try:
            self._process.stdin.write(json.dumps([verb, value]) + "\n")
            self._process.stdin.flush()
        except OSError as error:
            self.lost = True
            raise Gone("the head of the Ray cluster was lost") from error
        return self._answer()

    def _answer(self) -> Any:
        line = self._process.stdout.readline()
        if not line:
            self.lost = True
            raise Gone("the head of the Ray cluster was lost")
        return json.loads(line)


class OnRay:
    """Submits each run as a task to the cluster at RAY_ADDRESS, or the one that this machine belongs to.

    If the cluster's head is lost, so are all runs, and those that follow wait until there is a cluster again.
    """

    resubmits = True
    leaves = ""

    def __init__(self, needs: Needs, at_once: int | None):
        if importlib.util.find_spec("ray") is None:
            raise InputError("--on=ray needs Ray: pip install 'genjax[ray]'")
        self.at_once = at_once
        self._needs = needs
        self._cluster = self._join(0)

    def submit(self, run: Run) -> Task:
        """Submit a run. Raises: InputError if the cluster is lost and does not come back."""
        run.path.mkdir(parents=True, exist_ok=True)
        process.describe(run, self._needs.cores)
        call = process.call(run, self._needs.cores)
        while True:
            if self._cluster.lost:
                self._cluster = self._join(PATIENCE)
            try:
                return Task(self._cluster, run, self._cluster.ask("submit", call))
            except Gone:
                continue

    def _join(self, patience: float) -> Cluster:
        """The cluster, once it is there. Raises: InputError if it is not by then."""
        address = os.environ.get("RAY_ADDRESS") or "auto"
        since = time.monotonic()
        while True:
            try:
                _check(address)
                return Cluster(address, self._needs)
            except (OSError, ValueError) as error:
                if time.monotonic() - since >= patience:
                    raise InputError(
                        f"--on=ray: no Ray cluster at {address!r}: `ray start --head` begins one, or set "
                        "RAY_ADDRESS=host:port"
                    ) from error
                time.sleep(POLL)


def _check(address: str) -> None:
    """Raises: OSError or ValueError if nothing listens at "host:port", which Ray itself waits for a long time."""
    if address != "auto":
        host, _, port = address.rpartition(":")
        socket.create_connection((host, int(port)), timeout=10).close()
