"""Items of an iterator, read ahead on a thread."""

import queue
import threading
from collections.abc import Iterator
from typing import Any


def ahead(items: Iterator[Any], depth: int) -> Iterator[Any]:
    """Read up to `depth` items ahead, in order; an error of the reader is raised in place of its item.

    Closing the result ends the thread and closes `items`, if that is a generator.
    """
    ready: queue.Queue = queue.Queue(depth)
    stop = threading.Event()

    def put(item):
        while not stop.is_set():
            try:
                return ready.put(item, timeout=0.1)
            except queue.Full:
                continue

    def read():
        try:
            for item in items:
                put((item, None))
                if stop.is_set():
                    return
        except BaseException as error:
            put((None, error))

    thread = threading.Thread(target=read, name="genjax-read-ahead", daemon=True)
    thread.start()
    try:
        while True:
            item, error = ready.get()
            if error is not None:
                raise error
            yield item
    finally:
        stop.set()
        thread.join()
        getattr(items, "close", tuple)()
