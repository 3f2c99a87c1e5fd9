"""The process of a sweep that talks to Ray, which ends any process that loses its cluster: lines of JSON in and out.

Started by `on_ray`, it ends with its standard input, and its tasks with it. A request is ["submit", call],
["poll", task] or ["cancel", task]; an answer is one value.
"""

import json
import os
import signal
import sys
import time
from typing import Any, TextIO

from experiments.sweeps import process
from experiments.sweeps.executor import LOST, SAVED

LOOK = 5.0  # seconds between two looks at whether the cluster is still the one that tasks were submitted to


class Client:
    """Tasks by their numbers, at a cluster."""

    def __init__(self, address: str, resources: dict[str, Any]):
        """Raises: OSError or ValueError if there is no cluster."""
        import ray

        ray.init(address=address, log_to_driver=False, logging_level="error")
        self._ray = ray
        self._node = ray.get_runtime_context().get_node_id()
        self._keep = ray.remote(**resources)(process.keep)
        self._tasks = []
        self._looked = time.monotonic()

    def submit(self, call: list) -> int:
        """Submit a task that keeps a run's process; its number."""
        self._tasks.append(self._keep.remote(process.Call(*call)))
        return len(self._tasks) - 1

    def poll(self, number: int) -> tuple[int | None, str]:
        """The exit code of a task and Ray's words about it; `LOST` if its worker or node died, None while it runs."""
        self._look()
        errors = self._ray.exceptions
        ready, _ = self._ray.wait([self._tasks[number]], timeout=0)
        if not ready:
            return None, ""
        try:
            return self._ray.get(self._tasks[number]), ""
        except errors.TaskCancelledError:  # before it began
            return SAVED, ""
        except errors.RayTaskError as error:  # a fault of `keep` itself, such as a folder that is not there
            return 1, str(error).strip().splitlines()[-1]
        except errors.RayError as error:
            self._looked = 0.0  # was it the head? Then all is lost, and to be submitted when it is back
            self._look()
            return LOST, str(error).strip().splitlines()[0]

    def cancel(self, number: int) -> None:
        """Interrupt a task, which asks its run to save and end."""
        self._ray.cancel(self._tasks[number])

    def _look(self) -> None:
        """End this process if the cluster's head began again, which does not know its tasks: they would wait for ever.

        Where Ray asks the new head with the old one's id, it ends this process itself.
        """
        if time.monotonic() - self._looked > LOOK:
            self._looked = time.monotonic()
            if not any(node["NodeID"] == self._node and node["Alive"] for node in self._ray.nodes()):
                os._exit(1)


def serve(address: str, resources: dict[str, Any], requests: TextIO, answers: TextIO) -> None:
    """Answer requests until they end; the first answer is null, or why there is no cluster."""

    def answer(value):
        print(json.dumps(value), file=answers, flush=True)

    try:
        client = Client(address, resources)
    except (OSError, ValueError) as error:
        return answer(str(error) or type(error).__name__)
    answer(None)
    for line in requests:
        verb, value = json.loads(line)
        answer(getattr(client, verb)(value))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal: the sweep asks for what is to be done
    out = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for what Ray prints, a trace of its own code as it ends included
    os.dup2(1, 2)
    serve(sys.argv[1], json.loads(sys.argv[2]), sys.stdin, out)
