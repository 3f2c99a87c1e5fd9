"""Several processes as one run: who writes, what all agree on, and how all stop when one fails or is lost.

Every process runs the same program and takes the same steps; process 0 alone writes the run's files. What may fail in
one process goes through `run_on_main` or `run_on_all`, so that it fails in all; with one process these are plain calls.
"""

import contextlib
import ctypes
import json
import os
import re
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any, TextIO, TypeVar

import jax
import numpy as np
from jax.experimental import multihost_utils

from genjax.errors import InputError

T = TypeVar("T")

CONNECT_SECONDS = 300
"""How long the processes of a run wait for each other at the start."""

HEARTBEAT_SECONDS = 30
"""How long a process may be silent before it counts as lost."""


class RemoteProcessError(OSError):
    """Another process failed, which its message names; there it was said as well."""


def is_main_process() -> bool:
    """Whether this is the process that writes and prints."""
    return jax.process_index() == 0


def console() -> TextIO:
    """Where progress is shown: on process 0's stderr."""
    return sys.stderr if is_main_process() else open(os.devnull, "w")


# -- agreement


def all_gather_json(value: Any) -> list[Any]:
    """Every process's value, in their order, in every process. All must call this together; values are JSON."""
    if jax.process_count() == 1:
        return [value]
    text = np.frombuffer(json.dumps(value).encode(), np.uint8)
    sizes = multihost_utils.process_allgather(np.int32(len(text)))
    room = 1 << max(10, int(sizes.max() - 1).bit_length())  # few sizes, since each is compiled once
    texts = multihost_utils.process_allgather(np.pad(text, (0, room - len(text))))
    return [json.loads(row[:size].tobytes()) for row, size in zip(texts, sizes, strict=True)]


def all_gather_array(x: np.ndarray) -> list[np.ndarray]:
    """Every process's array, of any shapes but one type, to the bit: JAX's own way would make float64 float32."""
    if jax.process_count() == 1:
        return [x]
    shapes = all_gather_json(list(x.shape))
    room = x.dtype.itemsize * max(int(np.prod(shape)) for shape in shapes)
    data = np.frombuffer(x.tobytes(), np.uint8)
    rows = multihost_utils.process_allgather(np.pad(data, (0, room - len(data))))
    numbers = [np.frombuffer(row.tobytes(), x.dtype)[: int(np.prod(s))] for row, s in zip(rows, shapes, strict=True)]
    return [array.reshape(shape) for array, shape in zip(numbers, shapes, strict=True)]


def run_on_all(call: Callable[[], T]) -> T:
    """What `call` returns here, once it has succeeded in every process.

    Raises: what it raised here; else InputError or RemoteProcessError if it failed in another process.
    """
    value, error = _attempt(call)
    _reraise(all_gather_json(_failure(error)), error)
    return value


def run_on_main(call: Callable[[], T]) -> T:
    """What `call` returns in process 0, which alone calls it; in every process. With several, it must be JSON.

    Raises: what it raised in process 0; in the others InputError or RemoteProcessError.
    """
    value, error = _attempt(call) if is_main_process() else (None, None)
    failure, found = all_gather_json([_failure(error), value])[0]
    _reraise([failure], error)
    return value if is_main_process() else found


def _attempt(call):
    try:
        return call(), None
    except Exception as error:
        return None, error


def _failure(error: Exception | None) -> list | None:
    return None if error is None else [isinstance(error, InputError), str(error) or type(error).__name__]


def _reraise(failures: list, error: Exception | None) -> None:
    if error is not None:
        raise error
    for process, failure in enumerate(failures):
        if failure:
            of_input, text = failure
            raise (InputError if of_input else RemoteProcessError)(f"process {process}: {text}")


# -- beginning and end


@contextlib.contextmanager
def session(coordinator: str | None, process_id: int | None, num_processes: int | None) -> Iterator[None]:
    """Be one of several processes: found by these three, or from the cluster's environment if all are None.

    A process that fails within ends at once, where JAX would have it wait for the others, which wait for it.
    Raises: InputError if the three are incomplete or wrong, or no cluster is found.
    """
    address = f"the coordinator {coordinator}" if coordinator else "the coordinator of the cluster"
    given = {"--coordinator": coordinator, "--process_id": process_id, "--num_processes": num_processes}
    missing = [name for name, value in given.items() if value is None]
    if 0 < len(missing) < len(given):
        raise InputError(f"{' and '.join(missing)} missing: give all of {', '.join(given)}, or none in a cluster")
    if not missing and not re.fullmatch(r".+:\d+", coordinator):
        raise InputError(f"--coordinator={coordinator}: expected HOST:PORT, where process 0 is reached")
    if not missing and not 0 <= process_id < num_processes:
        raise InputError(f"--process_id={process_id}: expected 0 to {num_processes - 1}, one for each process")
    on_peer_lost(lambda: f"not all processes came to {address} within {CONNECT_SECONDS} s: start all, and check it")
    _catch_aborts()
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    if "jax_enable_preemption_service" in jax.config.values:  # it takes SIGTERM, which is ours; JAX 0.8 has no switch
        jax.config.update("jax_enable_preemption_service", False)
    try:
        jax.distributed.initialize(
            coordinator,
            num_processes,
            process_id,
            cluster_detection_method=None if missing else "deactivate",
            initialization_timeout=CONNECT_SECONDS,
            heartbeat_timeout_seconds=HEARTBEAT_SECONDS,
        )
    except ValueError as error:
        raise InputError(
            f"--distributed found no cluster (Slurm, Open MPI, TPU, Kubernetes) in the environment ({_line(error)}): "
            f"give {', '.join(given)}"
        ) from error
    except RuntimeError as error:
        raise InputError(f"{address} cannot be used: {_line(error)}") from error
    on_peer_lost(lambda: "another process was lost; start all again")
    grace = 2 * is_main_process()  # seconds: the others lose the coordinator with process 0, so let them end first
    try:
        yield
    except SystemExit as error:  # its message is printed
        _leave(error.code, after=grace)
    except BaseException as error:
        if not is_peer_lost(error):
            traceback.print_exc()
        _leave(1, _line(error) if is_peer_lost(error) else "", grace)


def on_peer_lost(words: Callable[[], str]) -> None:
    """What to say should another process be lost from now on."""
    global _lost_message
    _lost_message = words


def is_peer_lost(error: BaseException | None) -> bool:
    """Whether an error, or what caused it, says that the connection to another process broke.

    Gloo is what CPUs exchange arrays by. Where nothing is raised (NCCL waits), JAX aborts, which `session` explains too.
    """
    if error is None or jax.process_count() == 1:
        return False
    return bool(re.search("Gloo|oordination|Socket closed", str(error))) or is_peer_lost(error.__cause__)


_lost_message: Callable[[], str] = str
_leaving = threading.Lock()


def _leave(code: int, loss: str = "", after: float = 0) -> None:
    """End this process without waiting for the others; `loss` is how one of them was missed, if it was."""
    if not _leaving.acquire(blocking=False):
        time.sleep(60)  # another thread ends this process
    if loss:
        print(f"error: {_lost_message()}\n({loss})", file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    time.sleep(after)
    os._exit(code)


@ctypes.CFUNCTYPE(None, ctypes.c_int)
def _on_abort(_):
    _leave(1, "JAX's own reason is above")


def _catch_aborts() -> None:
    """Explain it when JAX aborts the process, which its client does if it misses the coordinator or is told of a loss.

    It does so on a thread of its own, which a handler set by Python's `signal` would come too late for.
    """
    libc = ctypes.CDLL(None)
    libc.signal.argtypes, libc.signal.restype = (ctypes.c_int, type(_on_abort)), ctypes.c_void_p
    libc.signal(signal.SIGABRT, _on_abort)


def _line(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(error) or type(error).__name__).splitlines()[0][:200]
