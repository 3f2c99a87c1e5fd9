"""The exception for bad input, as opposed to bugs, and helpers for its messages."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Bad input. The message says what was got, what was expected and what to do.

    Commands print it without a traceback and exit with code 2.
    """


class NotApplicable(InputError):
    """A number or image that does not exist for this run or these examples; the message says why."""


def did_you_mean(got: str, known: Iterable[str]) -> str:
    """The text " (did you mean 'x'?)" for the nearest of the known names, or none."""
    nearest = difflib.get_close_matches(str(got), [str(name) for name in known], n=1)
    return f" (did you mean {nearest[0]!r}?)" if nearest else ""
