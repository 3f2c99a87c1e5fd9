"""A request for an image of a run: what it starts from and what is changed, as the flags of genjax.explore say it.

This module imports no JAX, so that --help is quick.
"""

import math
import re
import shlex
from dataclasses import dataclass, fields, replace

from genjax.config import NOISE
from genjax.errors import InputError
from genjax.text import join_list, split_list

BLENDS = ("", "slerp", "lerp", "w")
"""Paths between starts: spherical or straight between latents, or straight between their w; "": as the latents ask."""

PLACES = {1: 0, 2: 1, 4: 2}
"""Number of starts -> coordinates of a place between them: one, the ends of a path, or the corners of a square."""

SETS = ("a", "b")
"""Sets of a translation without pairs, either of which it makes of the other."""


@dataclass(frozen=True)
class Layers:
    """Layers of a generator with styles, the last one included; None: all."""

    first: int = 0
    last: int | None = None

    def __str__(self) -> str:
        return "" if self == Layers() else f"@{self.first}-{'' if self.last is None else self.last}"

    @classmethod
    def parse(cls, text: str) -> "Layers":
        """ "2-5", "2-" or "2". Raises: ValueError."""
        if not (match := re.fullmatch(r"(\d+)(?:(-)(\d*))?", text)):
            raise ValueError(text)
        first = int(match[1])
        last = first if not match[2] else int(match[3]) if match[3] else None
        if last is not None and last < first:
            raise ValueError(text)
        return cls(first, last)


@dataclass(frozen=True)
class Move:
    """A step along a direction: "z3", the latent 3, or "p0", the first principal direction, of some layers' styles.

    Units: of latents for z, standard deviations for p.
    """

    direction: str
    amount: float
    layers: Layers = Layers()

    def __str__(self) -> str:
        return f"{self.direction}:{number(self.amount)}{self.layers}"

    @property
    def kind(self) -> str:
        """ "z" or "p"."""
        return self.direction[0]

    @property
    def index(self) -> int:
        """The number of the direction."""
        return int(self.direction[1:])

    @classmethod
    def parse(cls, text: str) -> "Move":
        """ "p0:1.5@2-5". Raises: ValueError."""
        match = re.fullmatch(r"([zp]\d+):([-+.\de]+)(?:@(.*))?", text.strip())
        if not match or not math.isfinite(float(match[2])):
            raise ValueError(text)
        return cls(match[1], float(match[2]), Layers.parse(match[3]) if match[3] is not None else Layers())


@dataclass(frozen=True)
class Mix:
    """The styles of another seed in some layers."""

    seed: int
    layers: Layers = Layers()

    def __str__(self) -> str:
        return f"{self.seed}{self.layers}"

    @classmethod
    def parse(cls, text: str) -> "Mix":
        """ "7@4-". Raises: ValueError."""
        seed, at, layers = text.strip().partition("@")
        return cls(_natural(seed), Layers.parse(layers) if at else Layers())


@dataclass(frozen=True)
class Edit:
    """Another code at a place of a vector-quantized autoencoder's map."""

    row: int
    column: int
    code: int

    def __str__(self) -> str:
        return f"{self.row}-{self.column}:{self.code}"

    @classmethod
    def parse(cls, text: str) -> "Edit":
        """ "3-4:17". Raises: ValueError."""
        if not (match := re.fullmatch(r"(\d+)-(\d+):(\d+)", text.strip())):
            raise ValueError(text)
        return cls(*map(int, match.groups()))


@dataclass(frozen=True)
class Request:
    """An image of a run. One start, a path between two, or a square between four; then moves, styles and edits.

    Starts are seeds, or in their place examples of the run's held-out data, files of images, or latents of
    `genjax.project`.
    """

    seeds: tuple[int, ...] = ()
    examples: tuple[int, ...] = ()
    images: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()  # files of genjax.project, each "projection.npz" or "projection.npz:3"
    at: tuple[float, ...] = ()  # the place between two starts, 0 to 1, or across and down between four
    blend: str = ""  # of BLENDS
    label: str = ""  # the class of the run, a name or a number; "": those of the starts
    truncation: float | None = None
    moves: tuple[Move, ...] = ()
    mix: Mix | None = None
    edits: tuple[Edit, ...] = ()
    to: str = ""  # the set whose images a translation without pairs makes, "a" or "b"; "": b
    noise: str = ""  # of genjax.config.NOISE; "": constant
    ema: bool = True
    step: int | str | None = None

    def __post_init__(self):
        """Raises: InputError for starts and places that do not fit each other."""
        chosen = [name for name in STARTS if getattr(self, name)]
        if len(chosen) > 1:
            raise InputError(f"--{' and --'.join(chosen)}: an image starts from one kind: choose one of them")
        count = len(self.starts)
        if count not in (0, *PLACES):
            raise InputError(f"--{chosen[0]}: {count} starts: expected 1, the 2 ends of a path, or 4 corners")
        if len(self.at) not in (0, PLACES.get(count, 0)) or not all(0 <= place <= 1 for place in self.at):
            raise InputError(
                f"--at={list_text(self.at)}: expected {PLACES.get(count, 0)} numbers from 0 to 1 between {count} starts"
            )
        if self.blend not in BLENDS:
            raise InputError(f"--blend={self.blend}: expected {', '.join(BLENDS[1:])}")
        if self.noise not in ("", *NOISE):
            raise InputError(f"--noise={self.noise}: expected {', '.join(NOISE)}")
        if self.to not in ("", *SETS):
            raise InputError(f"--to={self.to}: expected {' or '.join(SETS)}")
        if self.truncation is not None and not math.isfinite(self.truncation):
            raise InputError(f"--truncation={self.truncation}: expected a finite number")

    @property
    def starts(self) -> tuple:
        """The seeds, examples, files of images or of latents that it starts from."""
        return self.seeds or self.examples or self.images or self.codes

    def flags(self) -> list[str]:
        """The flags of genjax.explore that say this request; those at their defaults are left out."""
        out = []
        for field in fields(self):
            value = getattr(self, field.name)
            if value == field.default:
                continue
            if isinstance(value, bool):
                out.append(f"--no{field.name}")
            else:
                out.append(f"--{field.name}={_text(value)}")
        return out

    def command(self, workdir: str, out: str) -> str:
        """The command that writes the image to `out`."""
        parts = ["python", "-m", "genjax.explore", f"--workdir={workdir}", *self.flags(), f"--out={out}"]
        return " ".join(map(shlex.quote, parts))

    def with_starts(self, kind: str, starts: tuple, at: tuple[float, ...] = ()) -> "Request":
        """The same with other starts, of `kind` (of STARTS)."""
        return replace(self, **dict.fromkeys(STARTS, ()) | {kind: starts, "at": at})


STARTS = ("seeds", "examples", "images", "codes")
"""The kinds of starts, each a field of a request."""

READERS = {
    "seeds": lambda text: _natural(text),
    "examples": lambda text: _natural(text),
    "at": float,
    "moves": Move.parse,
    "edits": Edit.parse,
}
"""Fields that are lists in flags -> a reader of one item, which raises ValueError."""

EXPECTED = {
    "seeds": "numbers from 0 to 2,147,483,647, as in 3 or 3,5 or 3,5,8,13",
    "examples": "numbers of examples from 0 on, as in 3 or 3,5",
    "at": "numbers from 0 to 1, as in 0.5 or 0.25,0.5",
    "moves": "directions with amounts, z0, z1, ... or p0, p1, ..., as in z3:1.5 or p0:-2@4-7",
    "mix": "a seed and layers, as in 7@4-7",
    "edits": "rows, columns and codes, as in 3-4:17",
}
"""Fields -> the form of the flag."""


def read(name: str, text: str):
    """The value of a field as a flag says it. Raises: InputError that names the flag."""
    try:
        if name == "mix":
            return Mix.parse(text) if text else None
        return tuple(READERS[name](part) for part in text.split(",")) if text else ()
    except ValueError as error:
        raise InputError(f"--{name}={text}: expected {EXPECTED[name]}") from error


def read_paths(text: str | list[str]) -> tuple[str, ...]:
    """Files, as a list with commas says them."""
    return tuple(part for part in (split_list(text) if isinstance(text, str) else text) if part)


def from_json(values: dict) -> Request:
    """A request as a film's file has it: flags by name. Raises: InputError for unknown or impossible ones."""
    known = [field.name for field in fields(Request)]
    if not isinstance(values, dict) or set(values) - set(known):
        raise InputError(f"{values!r}: expected flags of genjax.explore by name, of {', '.join(known)}")
    taken = {}
    for name, value in values.items():
        if name in EXPECTED:
            taken[name] = read(name, str(value))
        elif name in ("images", "codes"):
            taken[name] = read_paths(str(value))
        else:
            taken[name] = value
    return Request(**taken)


def to_json(request: Request) -> dict:
    """The request as `from_json` reads it."""
    out = {}
    for field in fields(request):
        value = getattr(request, field.name)
        if value != field.default:
            out[field.name] = value if isinstance(value, bool | int | float) else _text(value)
    return out


def number(value: float) -> str:
    """A number that reads back to the bit; a whole one without its ".0"."""
    return repr(float(value)).removesuffix(".0")


def list_text(values: tuple) -> str:
    """A list as a flag says it."""
    if all(isinstance(value, str) for value in values):
        return join_list(values)
    return ",".join(number(value) if isinstance(value, float) else str(value) for value in values)


def _text(value) -> str:
    if isinstance(value, tuple):
        return list_text(value)
    return number(value) if isinstance(value, float) else str(value)


def _natural(text: str) -> int:
    """A number from 0 to 2**31 - 1. Raises: ValueError."""
    if not re.fullmatch(r"\s*\d+\s*", text) or int(text) >= 2**31:
        raise ValueError(text)
    return int(text)
