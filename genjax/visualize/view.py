"""The record of a view: a name, a function of a run that draws, and one line of help.

A view of another package is a function with the decorator `view`, named as in --what=package.module:draw_mean:

    from genjax.visualize.view import view

    @view("mean")
    def draw_mean(run):
        \"""The mean example.\"""
        yield "mean.png", figures.grid(run.examples.mean(0, keepdims=True).astype("uint8"))

This module imports no JAX, so that --help is quick.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genjax.errors import InputError
from genjax.text import summary

if TYPE_CHECKING:
    from genjax.run.loaded import Run

Files = Iterator[tuple[str, Any]]
"""Names of files, each with an image or an `Animation`."""


@dataclass(frozen=True)
class Animation:
    """Frames of a GIF, as files in memory, and their duration in all."""

    frames: list
    seconds: float


@dataclass(frozen=True)
class View:
    """A view as `genjax.show` draws it: `draw` yields files, or raises NotApplicable with a reason."""

    name: str
    draw: Callable[["Run"], Files]
    help: str

    def __call__(self, run: "Run") -> Files:
        """The files of a run."""
        return self.draw(run)


def view(name: str) -> Callable[[Callable[["Run"], Files]], View]:
    """Decorate a function of a run as the view `name`; the first line of its docstring is the help."""

    def decorate(function: Callable[["Run"], Files]) -> View:
        return View(name, function, summary(function.__doc__))

    return decorate


def check(candidate: Any) -> None:
    """Refuse what is not a view. Raises: InputError."""
    if not isinstance(candidate, View):
        raise InputError(
            f"it is {type(candidate).__name__}, not a view: decorate a function of a run with "
            "@genjax.visualize.view.view(name)"
        )
