"""A run's process on a machine of a cluster: its cores, its folder, and its end with the job that started it."""

import os
import signal
import tempfile
import threading
import time
from pathlib import Path

from filelock import FileLock, Timeout

from genjax.errors import InputError

PATIENCE = 60.0  # seconds to wait for cores that a run which has just ended still holds
POLL = 0.5


def claim(count: int, patience: float = PATIENCE) -> list[FileLock]:
    """Pin this process to `count` cores that no other run has claimed; the locks, to be kept until the end.

    A scheduler counts cores but need not pin to them, and a result depends on the number of cores that a process sees.
    Raises: InputError if fewer are free.
    """
    if not hasattr(os, "sched_setaffinity"):
        return []
    allowed = sorted(os.sched_getaffinity(0))
    folder = Path(tempfile.gettempdir()) / f"genjax-cores-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    since = time.monotonic()
    while True:
        locks = _free(folder, allowed, count)
        if len(locks) == count:
            os.sched_setaffinity(0, set(locks))
            return list(locks.values())
        for lock in locks.values():
            lock.release()
        if time.monotonic() - since > patience:
            raise InputError(
                f"NEEDS has {count} cores: of the {len(allowed)} that this process may use, {len(locks)} are free"
            )
        time.sleep(POLL * (1 + os.getpid() % 10 / 10))  # not in step with another that waits


def end_with_parent() -> None:
    """End this process at once when its standard input ends, as it does when the process that started it dies."""

    def watch():
        while os.read(0, 1):  # not through sys.stdin, whose lock Python wants when it ends
            pass
        os.kill(os.getpid(), signal.SIGKILL)  # the folder must be free for the run that takes this one's place

    threading.Thread(target=watch, daemon=True).start()


def wait_for(folder: Path) -> None:
    """Wait until no other process trains in a run's folder, as one on a machine that the cluster has lost may do."""
    lock = FileLock(folder / ".lock", fallback_to_soft=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        print("waiting: another process still trains in this folder", flush=True)
        lock.acquire(poll_interval=POLL)
    except OSError:  # a file system without locks, which training warns of
        return
    lock.release()


def _free(folder: Path, allowed: list[int], count: int) -> dict[int, FileLock]:
    locks = {}
    for core in allowed:
        lock = FileLock(folder / str(core))
        try:
            lock.acquire(blocking=False)
        except Timeout:
            continue
        locks[core] = lock
        if len(locks) == count:
            break
    return locks
