"""Streams that print any text: what their encoding lacks, say in a file's name, is written in ASCII."""

import codecs
import contextlib
import sys

FORMS = {"↑": "higher", "↓": "lower"}
"""Characters of genjax's own tables -> what stands for them; any other is escaped, as in \\xe9 or \\udcff."""


def print_anything() -> None:
    """Let stdout and stderr accept any text, whatever the locale."""
    codecs.register_error("genjax", _in_ascii)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # not where a caller has replaced it
            with contextlib.suppress(OSError):  # of a pipe that is closed already
                stream.reconfigure(errors="genjax")


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    missing = error.object[error.start : error.end]
    return "".join(FORMS.get(c) or c.encode("ascii", "backslashreplace").decode() for c in missing), error.end
