"""The loop of a sweep: runs are submitted to a scheduler, looked at until they end, and their failures are listed."""

import signal
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from experiments.sweeps import outcome
from experiments.sweeps.executor import SAVED, Executor
from experiments.sweeps.plan import Run
from genjax.run.stop import Stop
from genjax.text import duration

POLL = 0.1  # seconds between two polls of the runs
TRIES = 3  # submissions of a run that is lost again and again before it has saved anything new


class Ended(NamedTuple):
    """The end of a sweep."""

    failures: dict[str, str]  # reasons by the run's title
    signal: int  # the signal that stopped it, or 0


class Resubmissions:
    """The rule for lost runs: submitted again if they saved something since the last time, else up to `TRIES` times."""

    def __init__(self):
        self._last: dict[str, tuple[int, int]] = {}  # step of the newest checkpoint, and submissions since it

    def due(self, run: Run, code: int | None) -> bool:
        """Whether a run that ended with `code` is to be submitted again."""
        if not code or (code > 0 and code != SAVED):
            return False
        step = outcome.reached(run)
        before, times = self._last.get(run.title, (-1, 0))
        times = times + 1 if step == before else 1
        self._last[run.title] = step, times
        return times < TRIES


def execute(
    todo: Sequence[Run],
    executor: Executor,
    finished: Callable[[Run], str | None],
    say: Callable[[str], None],
) -> Ended:
    """Run all of `todo` in order, as many at a time as the executor takes.

    `finished` is called for each run that ended well, and may return a reason why it failed nevertheless. A failure
    stops no other run. SIGINT or SIGTERM asks all runs to save and end (a second one ends them at once), or leaves them
    to their scheduler, if the executor says so.
    """
    waiting = deque(enumerate(todo, 1))
    running = {}
    failures = {}
    begin = time.monotonic()
    ended = 0
    asked = False
    resubmissions = Resubmissions()

    def place(number):
        return f"{number:>{len(str(len(todo)))}}/{len(todo)}"

    with Stop() as stop:
        try:
            while running or (waiting and not stop.signal):
                while waiting and not stop.signal and (executor.at_once is None or len(running) < executor.at_once):
                    number, run = waiting.popleft()
                    running[number] = run, executor.submit(run), time.monotonic()
                    say(f"{'queued ' if executor.resubmits else 'started'} {place(number)}  {run.title}")
                if stop.signal and not asked:
                    asked = True
                    name = signal.Signals(stop.signal).name
                    if executor.leaves:
                        say(f"{name}: {len(running)} runs {executor.leaves}")
                        running.clear()
                        break
                    say(f"{name}: waiting for {len(running)} to save")
                    for _, handle, _ in running.values():
                        handle.stop(signal.SIGTERM)
                for number, (run, handle, since) in sorted(running.items()):
                    if (code := handle.poll()) is None:
                        continue
                    del running[number]
                    if code and stop.signal and code in (SAVED, -signal.SIGTERM):
                        say(f"stopped {place(number)}  {run.title}")
                        continue
                    if executor.resubmits and not stop.signal and resubmissions.due(run, code):
                        word = "stopped" if code == SAVED else "lost   "
                        say(f"{word} {place(number)}  {run.title}: submitted again")
                        waiting.appendleft((number, run))
                        continue
                    ended += 1
                    reason = handle.reason(code) if code else finished(run)
                    took = time.monotonic() - since
                    if reason:
                        failures[run.title] = reason
                    say(_line("failed " if reason else "done   ", place(number), run, reason, took, begin, ended, todo))
                time.sleep(POLL if running else 0)
        finally:  # a second signal, or a fault of this process
            for _, handle, _ in running.values():
                handle.stop(signal.SIGINT if asked else signal.SIGTERM)  # a second SIGTERM would change nothing
            for _, handle, _ in running.values():
                while handle.poll() is None:
                    time.sleep(POLL)
        return Ended(failures, stop.signal)


def _line(word, place, run, reason, took, begin, ended, todo) -> str:
    elapsed = time.monotonic() - begin
    left = len(todo) - ended
    text = f"{word} {place}  {run.title}, in {duration(took)}"
    if reason:
        text += f": {reason}"
    times = f"{duration(elapsed)} so far"
    if left:
        times += f", about {duration(elapsed / ended * left)} left"
    return f"{text}  ({times})"
