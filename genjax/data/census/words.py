"""A census as text of 80 columns, and as a dictionary for JSON."""

import re
import textwrap
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from math import prod
from typing import Any

import numpy as np

from genjax.data.census.advice import memory_text, suggested_flags
from genjax.data.census.counts import Census
from genjax.text import listed, number, plain, table

COLUMNS = 80
MARGIN = 14
ROWS = 20
"""Lines of a long list, unless all are asked for."""
NAMES = 3
MODES = {
    "1": "black and white",
    "L": "gray",
    "LA": "gray with transparency",
    "P": "palette",
    "RGB": "color",
    "RGBA": "color with transparency",
    "CMYK": "CMYK",
    "F": "floating-point gray",
    "I": "32-bit gray",
    "I;16": "16-bit gray",
    "I;16B": "16-bit gray",
}
"""Pillow's modes in words."""


def render(census: Census, every: bool = False) -> str:
    """The census as text. Long lists are cut, except that of broken images, unless `every` entry is asked for."""
    most = 10**9 if every else NAMES
    sections = [
        _headline(census),
        _fields([*_file_fields(census, most), *_example_fields(census)]),
        _values_table(census, every),
        _classes(census, every),
        _duplicates(census, every),
        _broken(census),
        _training(census),
    ]
    return "\n\n".join(filter(None, sections))


def as_json(census: Census) -> dict[str, Any]:
    """All counts and complete lists. Duplicates are groups of names."""
    source, files = census.source, census.files

    def named(groups):
        return [[census.name_of(index) for index in group] for group in groups]

    out = {
        "name": source.name,
        "split": source.split,
        "kind": census.kind,
        "count": source.size,
        "total": census.total,
        "shape": list(source.shape),
        "dtype": str(source.dtype),
        "bytes": census.nbytes,
        "classes": census.classes,
        "labels": census.label_note,
        "notes": list(source.notes),
        "colorless": census.colorless,
        "duplicates": named(census.duplicates),
        "duplicates_across_classes": named(census.across_classes),
        "broken": census.broken,
        "flags": [flag.text for flag in suggested_flags(census)],
    }
    if census.values:
        out["values"] = asdict(census.values)
    if census.lengths is not None:
        out["lengths"] = census.lengths.tolist()
    if files:
        sizes = {f"{height}x{width}": count for (height, width), count in files.sizes.most_common()}
        out["files"] = vars(files) | {"sizes": sizes, "copies": named(files.copies)}
    return out


def _headline(census: Census) -> str:
    source = census.source
    seen = source.size + len(census.broken)
    first = f" (the first {seen:,} of {census.total:,})" if seen < census.total else ""
    broken = f", {len(census.broken):,} broken" if census.broken else ""
    return f"{plain(source.name)}, {source.split}: {counted(source.size, census.kind)}{broken}{first}"


def counted(number: int, noun: str) -> str:
    """A number of things: "1 image", "1,204 images"."""
    return f"{number:,} {noun if number != 1 or noun == 'series' else noun.removesuffix('s')}"


def _file_fields(census: Census, most: int) -> list[tuple[str, str]]:
    files = census.files
    if files is None:
        return []
    values = [_range(files.range)] if files.range else []
    values += [f"{_range(files.deep_range)} in the gray of more than 8 bits"] if files.deep_range else []
    modes = Counter({MODES.get(mode, mode): 0 for mode in files.modes})
    for mode, count in files.modes.items():
        modes[MODES.get(mode, mode)] += count
    smaller = size_text(census.form.size) if census.form.size else ""
    return [
        ("left out", _counts(files.left_out)),
        ("formats", _counts(files.formats)),
        ("sizes", _sizes(files.sizes, most)),
        ("colors", _counts(modes) + (", but no image has color" if census.colorless else "")),
        ("bits", _bits(files.bits)),
        ("values", "; ".join(values)),
        ("animated", _names(files.animated, most) + " (the first frame or page is used)" if files.animated else ""),
        ("turned", f"{_names(files.turned, most)} (as their EXIF says)" if files.turned else ""),
        ("smaller", f"{_names(files.smaller, most)} (than {smaller})" if files.smaller else ""),
    ]


def _example_fields(census: Census) -> list[tuple[str, str]]:
    source = census.source
    fields = []
    if census.files is None:
        fields.append(("each", _example(census)))
        fields += [("note", plain(note)) for note in source.notes]
    if census.lengths is not None:
        low, middle, high = (number(x) for x in np.quantile(census.lengths, (0, 0.5, 1)))
        fields.append(("lengths", f"{low} to {high} steps, median {middle}"))
    return fields


def _example(census: Census) -> str:
    shape = census.source.shape
    if len(shape) == 3:
        color = {1: "gray", 3: "color"}.get(shape[2], f"{shape[2]} channels")
        color += ", but no image has color" if census.colorless else ""
        return f"{size_text(shape)}, {color}, {census.source.dtype}"
    steps = f"up to {shape[0]} steps of " if len(shape) == 2 else ""
    return f"{steps}{counted(shape[-1], 'numbers')}, {census.source.dtype}"


def _sizes(sizes: Mapping[tuple[int, int], int], most: int) -> str:
    if len(sizes) == 1:
        return f"all {size_text(next(iter(sizes)))}"
    low, high = min(sizes, key=lambda size: (prod(size), size)), max(sizes, key=lambda size: (prod(size), size))
    common = [f"{size_text(size)} ({count:,})" for size, count in Counter(sizes).most_common()]
    return (
        f"{len(sizes):,}, from {size_text(low)} to {size_text(high)} (height x width), most often "
        f"{listed(common, most)}; the shortest side is {min(map(min, sizes)):,}"
    )


def size_text(shape: Sequence[int]) -> str:
    """Height x width."""
    return f"{shape[0]}x{shape[1]}"


def _range(limits: tuple[float, float]) -> str:
    return " to ".join(f"{limit:,.6g}" if abs(limit) >= 1e4 else f"{limit:.6g}" for limit in limits)


def _counts(counts: Mapping[Any, int], word: Callable[[Any], str] = str) -> str:
    """The counts of kinds, the largest first: ".txt 3, hidden 1"."""
    ordered = Counter(counts).most_common()
    return ", ".join(f"{word(key)} {count:,}" for key, count in ordered)


def _bits(counts: Mapping[int, int]) -> str:
    """Bits per channel, unless all have 8, and the key that keeps more."""
    advice = "; 8 are kept, 16 with --config.data.bits=16" if max(counts, default=8) > 8 else ""
    return _counts(counts, "{}-bit".format) + advice if set(counts) != {8} else ""


def _names(names: Sequence[str], most: int) -> str:
    return f"{len(names):,}: {listed([plain(name) for name in names], most)}"


def _values_table(census: Census, every: bool) -> str:
    values = census.values
    if values is None:
        return ""
    width = len(values.low)
    colors = ("red", "green", "blue")
    names = [f"{'number' if len(census.source.shape) == 2 else 'coordinate'} {i + 1}" for i in range(width)]
    if len(census.source.shape) == 3:
        names = colors if width == 3 and not census.source.stacked else [f"channel {i + 1}" for i in range(width)]
        names = names if width > 1 else ["gray"]
    columns = (values.low, values.high, values.mean, values.std)
    rows = [(name, *map(float, row)) for name, *row in zip(names, *columns, strict=True)]
    return _cut(table(rows, ("values", "smallest", "largest", "mean", "deviation")), width, every)


def _classes(census: Census, every: bool) -> str:
    classes = census.classes
    if not classes:
        return _sentence(census.label_note.replace("no labels", "No classes", 1)) or "No classes."
    total = sum(classes.values())
    rows = [(_short(plain(name)), count, f"{100 * count / total:5.1f}%") for name, count in classes.items()]
    text = _cut(table(rows, ("class", census.kind, "share")), len(rows), every)
    empty = [name for name, count in classes.items() if not count]
    numbers = sorted(int(name) for name in classes if re.fullmatch("[0-9]{1,9}", name))
    if len(numbers) == len(classes):
        there = set(numbers)
        gap = range(numbers[0], numbers[-1] + 1)
        empty += [str(n) for n in gap if n not in there] if len(gap) <= 10**5 else []
    lines = [_sentence(census.label_note), f"Without examples: {listed(empty, ROWS)}." if empty else ""]
    return "\n".join([f"{len(classes):,} classes", "", text, *_wrapped([line for line in lines if line])])


def _duplicates(census: Census, every: bool) -> str:
    groups = census.duplicates
    if not groups:
        return f"No two {census.kind} are equal."
    across = set(census.across_classes)
    extra = sum(map(len, groups)) - len(groups)
    copies = sum(map(len, census.files.copies)) - len(census.files.copies) if census.files else 0
    lines = [
        f"Duplicates: {counted(extra, census.kind)} equal to an earlier one, in {counted(len(groups), 'groups')}",
        *([f"  {copies:,} of them in files that are equal to the byte"] if copies else []),
    ]
    if across:
        lines.append(f"{counted(len(across), 'groups')} across classes, which is label noise:")
    shown = sorted(groups, key=lambda group: group not in across)
    names = census.source.label_names
    for group in shown if every else shown[: ROWS // 2]:
        texts = [plain(census.name_of(index)) for index in group]
        if group in across:
            classes = [names[label] if names else str(label) for label in census.source.labels[list(group)]]
            pairs = zip(texts, map(plain, classes), strict=True)
            texts = [text if text.startswith(f"{name}/") else f"{text} ({name})" for text, name in pairs]
        lines.append(f"  {listed(texts, len(texts) if every else NAMES)}")
    more = 0 if every else len(shown) - ROWS // 2
    lines += [f"  and {more:,} more groups; --all lists them"] if more > 0 else []
    return "\n".join(lines)


def _broken(census: Census) -> str:
    if not census.broken:
        return ""
    return "\n".join(
        [f"Broken: {len(census.broken):,}", *(f"  {plain(name)}: {why}" for name, why in census.broken.items())]
    )


def _training(census: Census) -> str:
    flags = suggested_flags(census)
    lines = [""]
    for flag in flags:
        if lines[-1] and len(lines[-1]) + len(flag.text) > COLUMNS - 5:
            lines.append("")
        lines[-1] += f" {flag.text}" if lines[-1] else flag.text
    reasons = [f"{flag.text.removeprefix('--config.')}: {flag.reason}" for flag in flags if flag.reason]
    return "\n".join(
        [
            "In training",
            "",
            _fields([("examples", memory_text(census))]),
            "",
            "  " + " \\\n  ".join(lines),
            *(["", *(f"  {reason}" for reason in reasons)] if reasons else []),
        ]
    )


def _fields(fields: list[tuple[str, str]]) -> str:
    """Names and their texts, wrapped beside them; empty ones are left out."""
    indent = " " * MARGIN
    return "\n".join(
        textwrap.fill(
            text, COLUMNS, initial_indent=f"  {name:{MARGIN - 2}}", subsequent_indent=indent, break_long_words=False,
            break_on_hyphens=False,
        )
        for name, text in fields
        if text
    )  # fmt: skip


def _wrapped(lines: list[str]) -> list[str]:
    return ["", *(textwrap.fill(line, COLUMNS, break_long_words=False) for line in lines)] if lines else []


def _cut(text: str, rows: int, every: bool) -> str:
    """A table with its first rows alone, if it is long."""
    if every or rows <= ROWS:
        return text
    return "\n".join([*text.splitlines()[: ROWS + 2], f"and {rows - ROWS:,} more; --all lists them"])


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""


def _short(name: str, width: int = 48) -> str:
    return name if len(name) <= width else f"{name[: width - 3]}..."
