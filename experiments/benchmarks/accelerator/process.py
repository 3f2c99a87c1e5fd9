"""A part in a process of its own: a crash, a hang or a lack of memory ends that part alone.

The process is forked from a server that has imported everything and started no device, so that it begins at once.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

from experiments.benchmarks.accelerator.parts import HERE, Context, Part
from genjax.errors import InputError

LOG = "log.txt"
PRELOADED = ("speed", "agreement", "resume", "environment")


class Failed(RuntimeError):
    """A part ended before its last row."""


class LeftOut(RuntimeError):
    """A part cannot run here."""


def _starter() -> Any:
    """The way of starting processes."""
    methods = multiprocessing.get_all_start_methods()
    chosen = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    if chosen.get_start_method() == "forkserver":
        chosen.set_forkserver_preload([f"{HERE}.{name}" for name in PRELOADED])
    return chosen


def rows(part: Part, run: str, where: Context, limit: float) -> Iterator[dict[str, Any]]:
    """The rows of one of a part's functions, as they come. Ends the process, whatever happens.

    Raises: Failed when it fails or takes more than `limit` seconds; LeftOut when it cannot run here.
    """
    deadline = time.monotonic() + limit
    starter = _starter()
    receiver, sender = starter.Pipe(duplex=False)
    process = starter.Process(target=_work, args=(part, run, where, sender), daemon=True)
    process.start()
    sender.close()
    try:
        while True:
            if not receiver.poll(max(0, deadline - time.monotonic())):
                raise Failed(f"stopped after {limit:.0f} s")
            try:
                kind, content = receiver.recv()
            except EOFError:
                process.join()
                raise Failed(f"its process ended with code {process.exitcode}; see {LOG}") from None
            if kind == "row":
                yield content
            elif kind == "done":
                process.join(5)
                return
            else:
                raise (LeftOut if kind == "left out" else Failed)(content)
    finally:
        with contextlib.suppress(ProcessLookupError):  # it has begun no group, or ended
            os.killpg(process.pid, signal.SIGKILL)  # with what it has started, such as PyTorch's compilers
        process.kill()
        process.join()
        receiver.close()


def _work(part: Part, run: str, where: Context, sender: Connection) -> None:
    """Run a function of a part and send its rows."""
    os.setsid()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _to_log(where, part)
    flags = [os.environ.get("XLA_FLAGS", ""), part.environment.get("XLA_FLAGS", "")]
    os.environ.update(part.environment)
    os.environ["XLA_FLAGS"] = " ".join(filter(None, flags))
    module, _, function = run.partition(":")
    try:
        for row in getattr(import_module(module), function)(where, **part.options):
            sender.send(("row", row))
        sender.send(("done", None))
    except InputError as error:
        sender.send(("left out", str(error)))
    except Exception as error:  # out of memory, or a program that the compiler refuses
        import traceback

        traceback.print_exc()
        lines = str(error).strip().splitlines() or [""]
        sender.send(("failed", f"{type(error).__name__}: {lines[0][:300]}"))


def _end_with_parent() -> None:
    multiprocessing.parent_process().join()
    os.killpg(0, signal.SIGKILL)


def _to_log(where: Context, part: Part) -> None:
    """Send what libraries print to the log."""
    with open(where.folder / LOG, "ab") as file:
        file.write(f"--- {part.name}\n".encode())
        file.flush()
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError):
            stream.reconfigure(line_buffering=True)
