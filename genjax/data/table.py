"""A table of numbers in a text file, whatever encodes the text and separates the columns and the decimals.

The separator of the columns is the tab in a `.tsv`; elsewhere it is the first of tab, semicolon and space that is in
most lines, and otherwise the comma. Spaces beside a comma or a semicolon do not separate. Where the comma separates, it
is a decimal sign only within quotes, so that `1,5` alone is two columns; elsewhere it always is one.
"""

import codecs
import csv
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from genjax.errors import InputError

SUFFIXES = (".csv", ".tsv", ".txt")

SEPARATORS = {"\t": "tabs", ";": "semicolons", " ": "spaces"}
"""The separators other than commas by their names, the first that is in most lines before the others."""

MISSING = {"", "-", "?", "na", "n/a", "nan", "none", "null"}
"""Cells that stand for no number, in lower case."""

_ENCODINGS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_NUMBER = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_SPACE = re.compile(r"[^\s,;] +[^\s,;]")


class Line(NamedTuple):
    """The cells of a line, without the spaces around them."""

    number: int  # in the file, from 1
    cells: list[str]

    @property
    def is_blank(self) -> bool:
        """Whether all cells are empty."""
        return not any(self.cells)

    @property
    def is_header(self) -> bool:
        """Whether the line is a comment, or has no numbers but a word that does not stand for a missing one."""
        has_names = any(cell.lower() not in MISSING for cell in self.cells)
        return self.cells[0].startswith("#") or (has_names and not any(map(_NUMBER.fullmatch, self.cells)))


def read_table(path: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    """The numbers of a table, and a note on how it was read if that is not the plain case: commas, points, no header.

    Comments and a line of names at the beginning are skipped; blank lines around the numbers are nothing.
    Shapes: -> float32 [lines, columns].
    Raises: InputError that names the line and the column of a cell that is missing or no number, the line of a blank or
    uneven row, and a file that is no text or has no numbers.
    """
    text = re.sub(r"\r*\n|\r", "\n", _decode(path))  # "\r\r\n" is a file of Windows written as text twice
    separator = _separator(path, [line for line in text.split("\n") if line.strip()])
    header, lines = _split(path, _lines(path, text, separator))
    if not lines:
        raise InputError(f"{path} has no numbers: expected one line per step and one column per number")
    _check_even(path, lines)
    exact = np.array([[_value(cell) for cell in line.cells] for line in lines])
    with np.errstate(over="ignore"):
        x = exact.astype(np.float32)
    _refuse_cells(path, lines, np.argwhere(~np.isfinite(x)))
    parts = []
    if separator != "," and x.shape[1] > 1:
        parts.append(f"columns are separated by {SEPARATORS[separator]}")
    if _decimal_comma(path, lines):
        parts.append("commas are decimal signs")
    if header:
        parts.append(f"the first {len(header)} lines are names" if len(header) > 1 else "the first line is names")
    for column in np.flatnonzero(_is_too_fine(exact, x)) + 1:
        parts.append(f"column {column} changes by less than 32 bits can hold (subtract its first number)")
    return x, (", ".join(parts),) if parts else ()


def _is_too_fine(exact: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Whether most changes of a column are lost in 32 bits, as of seconds since 1970. Shapes: [T, F] -> bool [F]."""
    changes = np.diff(exact, axis=0) != 0
    return 2 * (changes & (np.diff(x, axis=0) == 0)).sum(0) > np.maximum(changes.sum(0), 1)


def _decode(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    try:
        return decode_text(data)
    except InputError as error:
        raise InputError(f"{path} {error}") from error


def decode_text(data: bytes) -> str:
    """The text of a file in UTF-8, in UTF-16 or 32 with a byte-order mark, or else in a Western code page.

    Raises: InputError for what is no text.
    """
    encoding = next((name for mark, name in _ENCODINGS.items() if data.startswith(mark)), None)
    try:
        text = data.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        if encoding:
            raise InputError(f"begins as {encoding} but is none at byte {error.start}") from error
        text = data.decode("latin-1")  # names of columns in a Western code page; numbers are the same in all
    if "\0" in text:
        raise InputError("is no text in UTF-8, nor in UTF-16 with a byte-order mark: save it as UTF-8")
    return text


def _separator(path: Path, lines: list[str]) -> str:
    if path.suffix.lower() == ".tsv":
        return "\t"
    lines = lines[1:] or lines  # the first may be names, with spaces in them
    tests: dict[str, Callable[[str], object]] = {"\t": lambda x: "\t" in x, ";": lambda x: ";" in x, " ": _SPACE.search}
    return next((mark for mark in SEPARATORS if 2 * sum(bool(tests[mark](x)) for x in lines) > len(lines)), ",")


def _lines(path: Path, text: str, separator: str) -> Iterator[Line]:
    stripped = (line.strip(" ") for line in text.split("\n"))
    reader = csv.reader(stripped, delimiter=separator, skipinitialspace=True)
    try:
        for cells in reader:
            yield Line(reader.line_num, [cell.strip() for cell in cells] or [""])
    except csv.Error as error:
        raise InputError(f"{path} cannot be read as a table, from line {reader.line_num}: {error}") from error


def _split(path: Path, lines: Iterator[Line]) -> tuple[list[Line], list[Line]]:
    """The lines above the numbers, and the numbers. Raises: InputError for a blank line between them."""
    lines = list(lines)
    header = []
    while lines and (lines[0].is_blank or (lines[0].is_header and _is_comment_or_first(lines[0], header))):
        line = lines.pop(0)
        header += [] if line.is_blank else [line]
    while lines and lines[-1].is_blank:
        lines.pop()
    for line in lines:
        if line.is_blank:
            raise InputError(f"{path}: line {line.number} is blank: fill or remove it")
    return header, lines


def _is_comment_or_first(line: Line, header: list[Line]) -> bool:
    return line.cells[0].startswith("#") or all(above.cells[0].startswith("#") for above in header)


def _check_even(path: Path, lines: Sequence[Line]) -> None:
    columns = len(lines[0].cells)
    for line in lines:
        if len(line.cells) != columns:
            raise InputError(
                f"{path}: the number of columns is {len(line.cells)} in line {line.number} and {columns} in line "
                f"{lines[0].number}; a comma separates columns unless tabs, semicolons or spaces do"
            )


def _value(cell: str) -> float:
    return float(cell.replace(",", ".")) if _NUMBER.fullmatch(cell) else np.nan


def _refuse_cells(path: Path, lines: Sequence[Line], bad: np.ndarray) -> None:
    """Refuse cells [count, 2] that have no number. Raises: InputError that names the first."""
    if not len(bad):
        return
    row, column = bad[0].tolist()
    cell = lines[row].cells[column]
    state = f"{cell[:40]!r}" if cell else "empty"
    others = f" ({len(bad):,} such cells in all)" if len(bad) > 1 else ""
    remedy = "fill or remove such lines" if cell.lower() in MISSING else "expected a number of 32 bits"
    raise InputError(f"{path}: line {lines[row].number}, column {column + 1} is {state}{others}: {remedy}")


def _decimal_comma(path: Path, lines: Sequence[Line]) -> bool:
    """Whether the decimal sign is the comma. Raises: InputError for a table that has points as well."""
    first = {}
    for line in lines:
        for cell in line.cells:
            for sign in ",.":
                if sign in cell:
                    first.setdefault(sign, f"{cell!r} in line {line.number}")
    if len(first) == 2:
        raise InputError(f"{path} has decimal commas ({first[',']}) and points ({first['.']}): write one of them")
    return "," in first
