"""Numbers, durations, sizes and tables as text, lists with commas, and the first lines of docstrings."""

import csv
import math
import re
from collections.abc import Iterable, Sequence

from genjax.errors import InputError


def number(value: float) -> str:
    """A measured number in few characters: three digits, thousands separated, "1.2e-05" when small.

    >>> [number(x) for x in (0.6123, 18.34, 1171.2, 0.0000123)]
    ['0.612', '18.3', '1,171', '1.2e-05']
    """
    value = float(value)
    if not math.isfinite(value):
        return str(value)
    if 999.5 <= abs(value) < 1e7:
        return f"{value:,.0f}"
    return f"{value:.1e}" if 0 < abs(value) < 1e-3 else f"{value:.3g}"


def duration(seconds: float) -> str:
    """Seconds as "0:07", "3:28", "1:02:05"."""
    if not math.isfinite(seconds):
        return "?"
    minutes, seconds = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def bytes_text(n: float) -> str:
    """Bytes as "512 B", "1.9 MiB"."""
    if n < 1024:
        return f"{n:.0f} B"
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        n /= 1024
        if round(n, 1) < 1024:
            return f"{n:.1f} {unit}"
    return f"{n / 1024:,.1f} PiB"


def natural(text: str) -> list:
    """A key for `sorted` that orders numbers within texts by value: "2" before "10"."""
    return [(not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in re.split(r"([0-9]+)", text)]


def listed(items: Sequence[str], limit: int = 3) -> str:
    """The first few items with commas: "a, b, c and 17 more"."""
    more = f" and {len(items) - limit:,} more" if len(items) > limit else ""
    return ", ".join(items[:limit]) + more


def split_list(text: str) -> list[str]:
    """The parts of a list with commas; one with a comma in it is in double quotes, as in CSV and in absl's flags.

    >>> split_list('folder:a,"folder:b,c"')
    ['folder:a', 'folder:b,c']

    Raises: InputError for a line break outside quotes where there are quotes.
    """
    try:
        parts = next(csv.reader([text], skipinitialspace=True)) if '"' in text else text.split(",")
    except csv.Error as error:
        raise InputError(f"{text!r} is no list with commas ({error}): put names in double quotes") from error
    return [part.strip() for part in parts]


def join_list(parts: Iterable[str]) -> str:
    """The list that `split_list` reads as these parts."""
    return ",".join('"' + part.replace('"', '""') + '"' if set(part) & set(',"') else part for part in parts)


def plain(text: str) -> str:
    r"""Text that a terminal shows on one line, such as names of files, of which any may have any character.

    >>> plain("a\nb")
    'a\\nb'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)


def summary(docstring: str | None) -> str:
    """The first line of a docstring without its full stop; "" without a docstring."""
    lines = (docstring or "").strip().splitlines()
    return lines[0].rstrip(".") if lines else ""


def table(rows: Sequence[Sequence], headers: Sequence[str]) -> str:
    """Rows under headers as plain text: columns of numbers to the right with thousands separated, text to the left.

    None is an empty cell.
    Raises: ValueError if a row does not have one cell per header.
    """
    for row in rows:
        if len(row) != len(headers):
            raise ValueError(f"a row needs {len(headers)} cells ({', '.join(headers)}); got {len(row)}: {row!r}")

    def numeric(value):
        return isinstance(value, int | float) and not isinstance(value, bool)

    def cell(value):
        if value is None:
            return ""
        if not numeric(value):
            return str(value)
        return f"{value:,}" if isinstance(value, int) else number(value)

    columns = []
    for i, header in enumerate(headers):
        values = [row[i] for row in rows]
        texts = [header, *map(cell, values)]
        width = max(map(len, texts))
        right = any(map(numeric, values)) and all(value is None or numeric(value) for value in values)
        texts.insert(1, "-" * width)
        columns.append([text.rjust(width) if right else text.ljust(width) for text in texts])
    return "\n".join("  ".join(line).rstrip() for line in zip(*columns, strict=True))
