"""Signals that ask a run to stop: it saves first, and gives up what can be made again."""

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator

import jax

from genjax.engine.distributed import all_gather_json, collective


class Interrupted(BaseException):
    """A signal was heard within `Stop.giving_up`."""


class Stop:
    """SIGINT and SIGTERM as a request to stop after the current call; a second SIGINT stops at once.

    Once one is heard, SIGTERM changes nothing: schedulers send it to a run several times, and while it saves.
    """

    def __init__(self):
        self.signal = 0
        self._gives_up = False

    def __enter__(self):
        """Take over the signals, which only a process's first thread can."""
        first = threading.current_thread() is threading.main_thread()
        numbers = (signal.SIGINT, signal.SIGTERM) if first else ()
        self._old = {number: signal.signal(number, self._handle) for number in numbers}
        return self

    def __exit__(self, *_):
        """Restore the handlers."""
        for number, handler in self._old.items():
            signal.signal(number, handler)

    @contextlib.contextmanager
    def giving_up(self) -> Iterator[None]:
        """Within, a signal ends the work at once, which changes nothing that is saved and is done again later.

        Several processes end it where they `agree`: one alone would leave the others waiting for what it was to send.
        Raises: Interrupted.
        """
        try:
            self._gives_up = jax.process_count() == 1
            if self._gives_up and self.signal:
                raise Interrupted
            yield
        finally:
            self._gives_up = False

    @collective
    def agree(self) -> None:
        """Between parts of such work: end it in all processes, if one has heard a signal. Raises: Interrupted."""
        if max(all_gather_json(self.signal)):
            raise Interrupted

    def _handle(self, number, _):
        if self.signal and number == signal.SIGINT:
            sys.exit(128 + number)
        self.signal = self.signal or number
        if self._gives_up:
            self._gives_up = False
            raise Interrupted
