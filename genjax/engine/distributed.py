"""Several processes as one run: who writes, how all agree, and how all stop when one fails or is lost.

Every process runs the same program and takes the same steps; process 0 alone, the main process, writes the run's
files. A call that may fail in one process goes through `run_on_main` or `run_on_all`, so that it fails in all; with
one process these are plain calls. Functions marked `@collective` must be called by all processes together.
"""

import contextlib
import ctypes
import json
import math
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
F = TypeVar("F", bound=Callable)

CONNECT_SECONDS = 300
"""Time that the processes of a run wait for each other at the start."""

HEARTBEAT_SECONDS = 30
"""Silence after which a process counts as lost."""


class RemoteProcessError(OSError):
    """A different process failed; this repeats its message."""


def collective(function: F) -> F:
    """Mark a function that all processes of a run must call together, in the same order. The mark has no effect."""
    return function


def is_main_process() -> bool:
    """Whether this is process 0, which writes the files and prints."""
    return jax.process_index() == 0


def console() -> TextIO:
    """The stream for progress: stderr in the main process, nowhere in the others."""
    return sys.stderr if is_main_process() else open(os.devnull, "w", encoding="utf-8")


# -- agreement


@collective
def all_gather_json(value: Any) -> list[Any]:
    """The values of all processes, by process. Values must be JSON; with one process the value itself is returned."""
    if jax.process_count() == 1:
        return [value]
    text = np.frombuffer(json.dumps(value).encode(), np.uint8)
    sizes = multihost_utils.process_allgather(np.int32(len(text)))
    room = 1 << max(10, int(sizes.max() - 1).bit_length())  # few sizes, since each is compiled once
    texts = multihost_utils.process_allgather(np.pad(text, (0, room - len(text))))
    return [json.loads(row[:size].tobytes()) for row, size in zip(texts, sizes, strict=True)]


@collective
def all_gather_array(x: np.ndarray) -> list[np.ndarray]:
    """The arrays of all processes, by process: of any shapes, one type, bit for bit (JAX would cast float64)."""
    if jax.process_count() == 1:
        return [x]
    shapes = all_gather_json(list(x.shape))
    room = x.dtype.itemsize * max(map(math.prod, shapes))
    data = np.frombuffer(x.tobytes(), np.uint8)
    rows = multihost_utils.process_allgather(np.pad(data, (0, room - len(data))))
    return [
        np.frombuffer(row.tobytes(), x.dtype)[: math.prod(shape)].reshape(shape)
        for row, shape in zip(rows, shapes, strict=True)
    ]


@collective
def run_on_all(call: Callable[[], T]) -> T:
    """Call in every process; each gets its own value when all have succeeded.

    Raises: this process's error, or InputError or RemoteProcessError if `call` failed in another process.
    """
    value, error = _attempt(call)
    _reraise(all_gather_json(_failure(error)), error)
    return value


@collective
def run_on_main(call: Callable[[], Any]) -> Any:
    """Call in the main process; its value is returned in every process, as JSON has it: a tuple becomes a list.

    Raises: the error of `call` in the main process; InputError or RemoteProcessError in the others.
    """
    value, error = _attempt(call) if is_main_process() else (None, None)
    failure, value = all_gather_json([_failure(error), json.loads(json.dumps(value))])[0]
    _reraise([failure], error)
    return value


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


PLACE = ("--coordinator", "--process_id", "--num_processes")
"""The flags that say which process of which run this is."""


@contextlib.contextmanager
def session(coordinator: str | None, process_id: int | None, num_processes: int | None) -> Iterator[None]:
    """Join a run of several processes, found by the three arguments or, if all are None, by the cluster's environment.

    A process that fails within ends at once. JAX would have it wait for the others, which wait for it.
    Raises: InputError if the arguments are incomplete or wrong, or no cluster is found.
    """
    address = f"the coordinator {coordinator}" if coordinator else "the coordinator of the cluster"
    by_cluster = _check_place(coordinator, process_id, num_processes)
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
            cluster_detection_method=None if by_cluster else "deactivate",
            initialization_timeout=CONNECT_SECONDS,
            heartbeat_timeout_seconds=HEARTBEAT_SECONDS,
        )
    except ValueError as error:
        raise InputError(
            f"--distributed found no cluster (Slurm, Open MPI, TPU, Kubernetes) in the environment ({_line(error)}): "
            f"give {', '.join(PLACE)}"
        ) from error
    except RuntimeError as error:
        raise InputError(f"{address} cannot be used: {_line(error)}") from error
    on_peer_lost(lambda: "another process was lost; restart all processes")
    grace = 2 * is_main_process()  # seconds: the others lose the coordinator with process 0, so let them end first
    try:
        yield
    except SystemExit as error:  # its message is printed
        _leave(error.code, after=grace)
    except BaseException as error:
        if not is_peer_lost(error):
            traceback.print_exc()
        _leave(1, _line(error) if is_peer_lost(error) else "", grace)


def _check_place(coordinator, process_id, num_processes) -> bool:
    """Whether the cluster's environment is to say which process this is. Raises: InputError."""
    values = (coordinator, process_id, num_processes)
    missing = [name for name, value in zip(PLACE, values, strict=True) if value is None]
    if len(missing) == len(PLACE):
        return True
    if missing:
        raise InputError(f"{' and '.join(missing)} missing: give all of {', '.join(PLACE)}, or none in a cluster")
    if not re.fullmatch(r".+:\d+", coordinator):
        raise InputError(f"--coordinator={coordinator}: expected HOST:PORT of process 0")
    if not 0 <= process_id < num_processes:
        raise InputError(f"--process_id={process_id}: expected 0 to {num_processes - 1}, one per process")
    return False


def on_peer_lost(message: Callable[[], str]) -> None:
    """Set the message that is printed if another process is lost from now on."""
    global _lost_message
    _lost_message = message


def is_peer_lost(error: BaseException | None) -> bool:
    """Whether an error, or its cause, says that the connection to another process broke.

    CPUs exchange arrays through Gloo. Where nothing is raised (NCCL waits), JAX aborts; `session` explains that too.
    """
    if error is None or jax.process_count() == 1:
        return False
    return bool(re.search("Gloo|oordination|Socket closed", str(error))) or is_peer_lost(error.__cause__)


_lost_message: Callable[[], str] = str
_leaving = threading.Lock()


def _leave(code: int, reason: str = "", after: float = 0) -> None:
    """End this process after `after` seconds, without waiting for the others; `reason`: how one of them was lost."""
    if not _leaving.acquire(blocking=False):
        time.sleep(60)  # another thread ends this process
    if reason:
        print(f"error: {_lost_message()}\n({reason})", file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    time.sleep(after)
    os._exit(code)


@ctypes.CFUNCTYPE(None, ctypes.c_int)
def _on_abort(_):
    _leave(1, "JAX's own reason is above")


def _catch_aborts() -> None:
    """Explain an abort: JAX's client aborts the process if the coordinator does not answer or reports a lost process.

    It does so on a thread of its own, for which a handler set by Python's `signal` would come too late.
    """
    if sys.platform == "win32":  # whose C library has another name; JAX's own message is printed
        return
    libc = ctypes.CDLL(None)
    libc.signal.argtypes = (ctypes.c_int, type(_on_abort))
    libc.signal.restype = ctypes.c_void_p
    libc.signal(signal.SIGABRT, _on_abort)


def _line(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(error) or type(error).__name__).splitlines()[0][:200]
