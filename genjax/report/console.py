"""Progress of long work as text: one live line on a terminal, plain lines in files and pipes."""

import contextlib
import math
import os
import sys
import time
from collections import deque
from typing import Any, TextIO

from genjax.text import duration, number, plain


def say_notes(*sources: Any, stream: TextIO | None = None) -> None:
    """Print the notes of data sources, each once: what is left out of them, and what is not as in their files."""
    notes = [plain(f"note: {source.name}: {text}") for source in sources if source is not None for text in source.notes]
    for note in dict.fromkeys(notes):
        print(note, file=sys.stderr if stream is None else stream)


class Progress:
    """Progress of a run, or of other long work: one live line on a terminal, occasional plain lines in files and pipes.

    `total_steps` counts the whole run, `start_step` is where this process continues it; `unit_images_per_step` (None:
    not shown) gives images per second; plain lines are printed at most every `every` seconds, besides the first and the
    last; `noun` names the unit that is counted. Rates are those of about the last half minute of the current phase,
    without its first call, which compiles.

        with Progress(5000, 0, 64) as progress:
            progress.phase("train")
            progress.update(100, {"critic/loss": 0.61, "gen/loss": 0.83})
            progress.say("saved step 100")
    """

    def __init__(self, total_steps, start_step=0, unit_images_per_step=None, stream=None, every=10.0, noun="step"):
        """See the class."""
        self.total = total_steps
        self.step = start_step
        self.images = unit_images_per_step
        self.stream = sys.stderr if stream is None else stream
        self.every = every
        self.noun = noun
        self.name = ""
        self.metrics = {}
        self._marks: deque[tuple[float, int]] = deque()  # (time, step) of recent updates
        self._printed: tuple[float, int] | None = None
        self._bar = None

    def __enter__(self):
        """Start the live line on a terminal."""
        if self.stream.isatty() and os.environ.get("TERM") not in (None, "", "dumb"):
            self._bar = _bar(self)
            self._bar.start()
        return self

    def __exit__(self, *_):
        """Print the final state."""
        if self._bar:
            self._bar.refresh()
            self._bar.stop()
        elif self._marks and (self._printed is None or self._printed[1] != self.step):
            self._line()

    def phase(self, name: str, images_per_step: float | None = None) -> None:
        """Begin a phase: show its name and measure rates again."""
        self.name = name
        self.images = images_per_step or self.images
        self._marks.clear()
        if not self._bar:
            self.say(f"phase {name}")

    def update(self, step: int, metrics: dict[str, float]) -> None:
        """Show that `step` steps of the whole run are done."""
        self.step = step
        self.metrics = metrics
        now = time.monotonic()
        self._marks.append((now, step))
        while len(self._marks) > 2 and now - self._marks[1][0] > 30:
            self._marks.popleft()
        if not self._bar and (self._printed is None or now - self._printed[0] >= self.every or step >= self.total):
            self._line()

    def say(self, text: str) -> None:
        """Print a line of its own, above the live line if there is one."""
        if self._bar:
            self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            with contextlib.suppress(OSError):  # a closed pipe or a full disk behind the log must not end the training
                print(text, file=self.stream, flush=True)

    def rate(self) -> float | None:
        """Recent steps per second; None before two updates of a phase."""
        if len(self._marks) < 2:
            return None
        (then, first), (now, last) = self._marks[0], self._marks[-1]
        return (last - first) / (now - then) if last > first and now > then else None

    def parts(self) -> dict[str, list[str]]:
        """The texts of the line in order: counts, then speed, then metrics (the losses, or else the first few)."""
        rate = self.rate()
        share = min(1.0, self.step / max(self.total, 1))
        counts = [f"{self.noun} {self.step:,}/{self.total:,} ({math.floor(100 * share)}%)"]
        speed = []
        if rate:
            speed.append(f"{number(rate)} steps/s" if self.noun == "step" else f"{number(rate)}/s")
            if self.images:
                speed.append(f"{number(rate * self.images)} images/s")
            if self.step < self.total:
                speed.append(f"{duration((self.total - self.step) / rate)} left")
        names = [name for name in self.metrics if "loss" in name.lower()] or list(self.metrics)[:4]
        return {"counts": counts, "speed": speed, "metrics": [f"{name} {number(self.metrics[name])}" for name in names]}

    def _line(self) -> None:
        self._printed = time.monotonic(), self.step
        self.say("  ".join(part for parts in self.parts().values() for part in parts))


@contextlib.contextmanager
def watch(title: str, total: int, stream=None):
    """Show the progress of long work: the number done out of `total`, or the elapsed time if `total` is 0.

    with watch("images", 5000) as on_progress:
        on_progress(64)
    """
    if total:
        with Progress(total, stream=stream, noun=title) as progress:
            yield lambda done: done == progress.step or progress.update(done, {})
        return
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn("line"), TextColumn("{task.description}"), TimeElapsedColumn()
    console = Console(file=stream or sys.stderr)
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        bar.add_task(title)
        yield lambda done: None


def _bar(progress: Progress):
    """A rich progress display of one line; the least important texts are left out if the terminal is narrow."""
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import ProgressColumn
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    class Line(ProgressColumn):
        def render(self, task):
            parts = progress.parts()
            space = console.width - 1
            width = max(6, min(30, (space - 48) // 4))
            speed = parts["speed"] or ["compiling"]
            metrics = parts["metrics"]
            (full,) = parts["counts"]
            short = f"{progress.step:,}/{progress.total:,}"
            # By importance, which is not the order on the line.
            ranked = speed[-1:] + speed[:1] + metrics[:2] + speed[1:-1] + metrics[2:] + [progress.name]
            shown = set()
            space -= width + 2 + len(short)
            for text in filter(None, dict.fromkeys(ranked)):
                space -= len(text) + 2
                if space < 0:
                    break
                shown.add(text)
            counts = full if space >= len(full) - len(short) else short
            styled = [(progress.name, "magenta"), (counts, "bold"), *((text, "cyan") for text in speed)]
            styled += [(text, "") for text in metrics]
            words = [(text, style) for text, style in styled if text in shown | {counts}]
            line = Table.grid(padding=(0, 2, 0, 0))
            bar = ProgressBar(total=max(progress.total, 1), completed=progress.step, width=width)
            text = Text("  ", no_wrap=True, overflow="ellipsis").join(Text(*word) for word in words)
            line.add_row(bar, text)
            return line

    console = Console(file=progress.stream)
    # Four redraws per second leave the cores to training.
    bar = Bar(Line(), console=console, refresh_per_second=4)
    bar.add_task("")
    return bar
