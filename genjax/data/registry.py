"""The table of data sources: the one place that knows their names.

`load`, error messages, `--help` and the table of docs/data.md (`python -m genjax.data --write docs/data.md`) read it.
A new source is a file with a loader and a record here; docs/extending.md shows one outside the package.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from genjax import extensions
from genjax.data.checked import ImageFiles
from genjax.data.images import AS_STORED, Form, form_of_config
from genjax.data.paths import kind_of, reachable, refuse_path
from genjax.data.request import Request
from genjax.data.source import Source, check, fingerprint_of_text
from genjax.data.translation import DERIVATIONS
from genjax.errors import InputError, did_you_mean
from genjax.files import expand
from genjax.text import split_list

Loader = Callable[[Request], Source]


@dataclass(frozen=True)
class SourceRecord:
    """A data source: its name, its loader and one line of documentation each for what it holds."""

    name: str  # a name, or a pattern with one of PLACEHOLDERS: "folder:PATH", "shapes_SIDE"
    loader: str | Loader  # "module:function" is imported when the source is opened
    examples: str
    splits: str
    labels: str
    license: str
    files: str = ""  # "module:function" of a request that finds the image files; "": the examples are no image files

    def matches(self, name: str) -> bool:
        """Whether this record opens a name."""
        pattern = re.escape(self.name)
        for placeholder, expression in PLACEHOLDERS.items():
            pattern = pattern.replace(placeholder, expression)
        return bool(re.fullmatch(pattern, name, re.DOTALL))

    @property
    def prefix(self) -> str:
        """The word before the colon of a pattern such as "folder:PATH"; "" if there is none."""
        kind, colon, _ = self.name.partition(":")
        return kind if colon else ""


PLACEHOLDERS = {"PATH": ".+", "FILE": ".+", "NAME": ".+", "LABEL": "[^:]+"}
PLACEHOLDERS |= dict.fromkeys(("SIDE", "COUNT", "STEPS"), r"\d{1,9}")
"""Words that stand for the user's own text in a record's name, as regular expressions."""

_CLOTHES = "MIT, Zalando SE"
_EMOJI = "Apache-2.0, Google"
_DRAWN = "train 1,000, test 100"
_POINTS = "train 100,000, test 10,000"
_ITS_OWN = ("its own", "its own", "its own")

SOURCES = (
    SourceRecord(
        "fashion_mnist_10k",
        "genjax.data.packaged:load_fashion_10k",
        "the first images of `fashion_mnist`, 28x28 gray; comes with the package",
        "train 10,000, test 2,000",
        "10 kinds of clothes",
        _CLOTHES,
    ),
    SourceRecord(
        "fashion_mnist",
        "genjax.data.fashion_mnist:load_fashion",
        "clothes, 28x28 gray; downloaded once (31 MB)",
        "train 60,000, test 10,000",
        "10 kinds of clothes",
        _CLOTHES,
    ),
    SourceRecord(
        "emoji_64",
        "genjax.data.packaged:load_emoji",
        "Noto emoji on white, 64x64 color; comes with the package",
        "train 1,720, test 186",
        "9 categories",
        _EMOJI,
    ),
    SourceRecord(
        "emoji_32",
        "genjax.data.packaged:load_emoji",
        "the same at 32x32: exact means of 2x2 pixels",
        "train 1,720, test 186",
        "9 categories",
        _EMOJI,
    ),
    SourceRecord(
        "folder:PATH",
        "genjax.data.folder:load_folder",
        "your own images, in a folder or a `.zip`",
        "train",
        "sub-folders, or a table",
        "yours",
        files="genjax.data.folder:find_folder",
    ),
    SourceRecord(
        "image:FILE",
        "genjax.data.folder:load_image",
        "one image",
        "train",
        "none",
        "yours",
        files="genjax.data.folder:find_image",
    ),
    SourceRecord(
        "array:FILE",
        "genjax.data.arrays:load_array",
        "your own images or points, in a `.npy`, `.npz` or HDF5 file",
        "train",
        "an array `labels`",
        "yours",
    ),
    SourceRecord(
        "parquet:PATH",
        "genjax.data.parquet:load_parquet",
        "your own images, in Parquet files as the Hugging Face Hub has them",
        "by file name",
        "a column `label`",
        "yours",
        files="genjax.data.parquet:find_parquet",
    ),
    SourceRecord(
        "packed:PATH",
        "genjax.data.packed:load_packed",
        "images of any of these sources, decoded and packed by `genjax.pack`",
        "those that were packed",
        "those of its source",
        "its own",
    ),
    SourceRecord(
        "series:PATH",
        "genjax.data.series:load_series",
        "your own series, from arrays (`.npz`, `.npy`) or a table (`.csv`, `.tsv`, `.txt`)",
        "train",
        "none",
        "yours",
    ),
    SourceRecord(
        "windows:PATH",
        "genjax.data.series:load_windows",
        "every window of `data.size` steps of one long series, from an array `[steps, numbers]` or a table",
        "train",
        "none",
        "yours",
    ),
    SourceRecord(
        "wav:PATH",
        "genjax.data.audio:load_wav",
        "your own sound, in 16-bit mono `.wav` files, as windows of `data.size` samples (16,384)",
        "train",
        "none",
        "yours",
    ),
    SourceRecord(
        "tones",
        "genjax.data.audio:load_tones",
        "decaying tones of 16,384 samples, drawn when they are read; or of `data.size`",
        "train 1,000, test 100",
        "none",
        "none",
    ),
    SourceRecord(
        "tfds:NAME",
        "genjax.data.tfds:load_tfds",
        "any data set that TFDS has prepared as `array_record`",
        "its own",
        "its own",
        "its own",
        files="genjax.data.tfds:find_tfds",
    ),
    SourceRecord(
        "stacked:NAME",
        "genjax.data.stacked:load_stacked",
        "three images of a gray source with ten classes, as channels: 1,000 modes",
        "128,000 from each of its splits",
        "100 a + 10 b + c",
        "its own",
    ),
    SourceRecord(
        "pairs:NAME,NAME",
        "genjax.data.pairs:load_pairs",
        "each image of one source over images of another, as [style transfer](style.md) learns from",
        "those of both",
        "none",
        "of both",
    ),
    SourceRecord(
        "aligned:NAME,NAME",
        "genjax.data.translation:load_aligned",
        "inputs of one source and targets of another, paired by name, for [translation](translation.md)",
        "those of both",
        "those of the second",
        "of both",
    ),
    SourceRecord(
        "unpaired:NAME,NAME",
        "genjax.data.unpaired:load_unpaired",
        "any image of one source beside any of another, for [translation without pairs](translation.md)",
        "those of both",
        "none",
        "of both",
    ),
    SourceRecord(
        "class:LABEL:NAME",
        "genjax.data.unpaired:load_class",
        "the examples of one label, by its name or number, as in `class:Sandal:fashion_mnist_10k`",
        *_ITS_OWN,
    ),
    SourceRecord(
        "gray:NAME",
        "genjax.data.translation:load_derived",
        "color images, each after its luma",
        *_ITS_OWN,
    ),
    SourceRecord(
        "lab:NAME",
        "genjax.data.translation:load_derived",
        "color images, each after the gray of the same lightness; translation then makes CIE's a and b",
        *_ITS_OWN,
    ),
    SourceRecord(
        "small2:NAME",
        "genjax.data.translation:load_derived",
        "images, each after the means of its blocks of 2x2",
        *_ITS_OWN,
    ),
    SourceRecord(
        "small4:NAME",
        "genjax.data.translation:load_derived",
        "the same with blocks of 4x4",
        *_ITS_OWN,
    ),
    SourceRecord(
        "small8:NAME",
        "genjax.data.translation:load_derived",
        "the same with blocks of 8x8",
        *_ITS_OWN,
    ),
    SourceRecord(
        "hole:NAME",
        "genjax.data.translation:load_derived",
        "images, each after itself with a gray hole of half its sides in its center, and a mask",
        *_ITS_OWN,
    ),
    SourceRecord(
        "freeform:NAME",
        "genjax.data.translation:load_derived",
        "the same with holes of brush strokes, which differ from image to image",
        *_ITS_OWN,
    ),
    SourceRecord(
        "edges:NAME",
        "genjax.data.translation:load_derived",
        "images, each after a sketch of its edges",
        *_ITS_OWN,
    ),
    SourceRecord(
        "frames:NAME",
        "genjax.data.films:load_frames",
        "frames of films, each after the four before it, or K as in `frames:8:NAME`; a film is a sub-folder of images",
        "its own",
        "none",
        "its own",
    ),
    SourceRecord(
        "moving_clothes",
        "genjax.data.films:load_moving",
        "films of 20 frames in which two clothes move and bounce, 64x64 gray; drawn when they are read",
        "train 10,000, test 1,000",
        "none",
        _CLOTHES,
    ),
    SourceRecord(
        "shapes_SIDE",
        "genjax.data.drawn:load_drawn",
        "colored ellipses, drawn when they are read; any side up to 2048, as in `shapes_64`",
        _DRAWN,
        "none",
        "none",
    ),
    SourceRecord(
        "textures_SIDE",
        "genjax.data.drawn:load_drawn",
        "brush strokes, glass, woodcuts, dots, planes and marble, drawn likewise from side 8",
        _DRAWN,
        "none",
        "none",
    ),
    SourceRecord(
        "ring8",
        "genjax.data.synthetic:load_mixture",
        "8 Gaussians on the unit circle, standard deviation 0.01",
        _POINTS,
        "the mode",
        "none",
    ),
    SourceRecord(
        "grid25",
        "genjax.data.synthetic:load_mixture",
        "25 Gaussians on a 5 x 5 grid, two apart, standard deviation 0.05",
        _POINTS,
        "the mode",
        "none",
    ),
    SourceRecord(
        "swiss_roll",
        "genjax.data.synthetic:load_swiss_roll",
        "a spiral of one and a half turns in the plane, from -1.9 to 1.9, with noise of 0.03",
        _POINTS,
        "none",
        "none",
    ),
    SourceRecord(
        "sines",
        "genjax.data.sines:load_sines",
        "series of 24 steps and 5 numbers: sines of random frequency and phase, from 0.5 to 1",
        "train 10,000, test 2,000",
        "none",
        "none",
    ),
    SourceRecord(
        "oracle_COUNTxSTEPS",
        "genjax.data.oracle:load_oracle",
        "sequences of tokens of a random LSTM, whose distribution is known, as in `oracle_5000x20`: 5,000 tokens, 20 "
        "steps",
        "train 10,000, test 2,000",
        "none",
        "none",
    ),
    SourceRecord(
        "oracle:FILE",
        "genjax.data.oracle:load_oracle",
        "the same of the LSTM of SeqGAN's authors, 5,000 tokens and 20 steps",
        "train 10,000, test 2,000",
        "none",
        "its own",
    ),
    SourceRecord(
        "arc3d",
        "genjax.data.synthetic:load_arc",
        "points near a plane in space: three quarters of an ellipse, with noise of 0.05 to 0.1",
        "train 1,000, test 200",
        "none",
        "none",
    ),
)

NOT_KNOWN = ("yours", "its own")
"""Licenses of SOURCES that stand for the examples' own."""

LISTS = ("pairs", "stacked", "aligned", "unpaired")
"""Words before the colon of a name that is made of names with commas."""

COMPOSED = (*LISTS, "class", "frames", *DERIVATIONS)
"""Words before the colon of sources that are made of others, which see for themselves what they can use."""

PREFIXES = tuple(record.prefix for record in SOURCES if record.prefix)
"""Words before a colon that are not the module of an extension."""


def load(config: Any) -> Source:
    """The source that a config's `data` names, checked and ready to read.

    config.name: the name of one of SOURCES, a path, or "package.module:name". config.split: "train", slices and sums of
    splits. config.size, channels, resize, upscale, range: the form of images, see `images.form_of_config`. config.dir:
    a folder of prepared data. config.labels: a table of labels. config.skip_broken: leave out broken images.
    Raises: InputError for everything that is wrong with the request or the data and can be found before training.
    """
    options = {key: getattr(config, key, default) for key, default in (("labels", ""), ("skip_broken", False))}
    data_dir = getattr(config, "dir", "")
    return open_source(str(config.name), str(config.split), form_of_config(config), data_dir, **options)


def open_source(
    name: str,
    split: str = "train",
    form: Form = AS_STORED,
    data_dir: str = "",
    labels: str = "",
    skip_broken: bool = False,
) -> Source:
    """A source by its name. Raises: InputError, as `load`."""
    need_name(name)
    options = {"split": split, "form": form, "data_dir": data_dir, "labels": labels, "skip_broken": skip_broken}
    name = of_path(name)
    request = Request(name, **options, open=partial(open_source, **options))
    record = match(name)
    if record:
        _refuse_unused(record, request)
        with reachable(name):
            return _of_bits(_import_loader(record)(request), form.bits)
    source = _import_loader(_find_extension(name))(request)
    try:
        check(source)
    except InputError as error:
        raise InputError(f"data.name={name!r}: {error}") from error
    source = replace(source, name=name, split=split)  # the source can be opened again by its name
    return _of_bits(source, form.bits)


def _of_bits(source: Source, bits: int) -> Source:
    """The source itself, or images of 8 bits as 16 bits where these are asked for: 255 becomes 65535.

    Raises: InputError for examples that are no images.
    """
    if bits != 8 and len(source.shape) != 3:
        raise InputError(f"data.bits={bits}: {source.name} has no images; leave it at 8")
    if bits == 8 or source.dtype != np.uint8:
        return source
    return replace(
        source,
        dtype=np.dtype(np.uint16),
        read=lambda indices: np.uint16(257) * source.read(indices),
        fingerprint=fingerprint_of_text([source.fingerprint, "16 bits"]),
        notes=(*source.notes, "images of 8 bits are read as 16 bits: 255 becomes 65535"),
    )


def need_name(name: str) -> None:
    """Raises: InputError for no name, as a run has that was converted from weights alone."""
    if not name:
        raise InputError(
            "no data are named, as by a run that was converted from weights: genjax.evaluate has --reference, and "
            "genjax.train goes on in a new folder with --config=RUN --config.init.weights=RUN --config.data.name=DATA"
        )


def find_files(request: Request) -> ImageFiles | None:
    """The image files that a request's name stands for, none of which is opened; None if it stands for none.

    Raises: InputError if they are not there.
    """
    record = match(request.name)
    with reachable(request.name):
        return _import(record.files)(request) if record and record.files else None


def _refuse_unused(record: SourceRecord, request: Request) -> None:
    """Refuse keys of config.data that a source of ours does not read. Raises: InputError."""
    if request.labels and record.prefix not in ("folder", *COMPOSED):
        raise InputError(f"data.labels={request.labels!r} is for folder:PATH: leave it unset for {request.name}")
    if request.form.range and record.prefix not in ("folder", "image", "array", "parquet", "tfds", *COMPOSED):
        raise InputError(f"data.range is for images in files: leave it unset for {request.name}")


def of_path(name: str) -> str:
    """The name of the source that a path stands for: "folder:x" for a folder x; a name is returned unchanged."""
    if match(name):
        return name
    kind = kind_of(name)
    return f"{kind}:{name}" if kind else name


def match(name: str) -> SourceRecord | None:
    """The record of SOURCES that opens a name, or None."""
    return next((record for record in SOURCES if record.matches(name)), None)


def license_of(name: str) -> str:
    """The license of a source's examples, of all sources that it is made of; "" if it is not known here."""
    record = match(name)
    if record is None:
        return ""
    if record.prefix in COMPOSED:
        rest = split_composed(name)[1]
        parts = split_list(rest) if record.prefix in LISTS else [rest]
        licenses = [license_of(of_path(part)) for part in parts]
        return "; ".join(dict.fromkeys(licenses)) if all(licenses) else ""
    if record.prefix == "packed":
        return _import("genjax.data.packed:license_of")(expand(name.partition(":")[2]))
    return "" if record.license in NOT_KNOWN else record.license


def split_composed(name: str) -> tuple[str, str]:
    """A name of COMPOSED as its beginning and the names that it is made of: "class:Sandal:" and "folder:clothes"."""
    word, _, rest = name.partition(":")
    if word == "class" or (word == "frames" and rest.partition(":")[0].isdigit()):
        first, _, rest = rest.partition(":")
        word = f"{word}:{first}"
    return f"{word}:", rest


def is_source(name: str) -> bool:
    """Whether a name is one of SOURCES or has the form of an extension, "package.module:name"."""
    return match(name) is not None or extensions.is_extension(name, PREFIXES)


def names() -> str:
    """The names of all sources as a list for messages and `--help`."""
    return ", ".join(record.name for record in SOURCES) + " or your own 'package.module:name'"


def table() -> str:
    """SOURCES as a table in Markdown."""
    rows = [(f"`{r.name}`", r.examples, r.splits, r.labels, r.license) for r in SOURCES]
    header = "| Name | Examples | Splits | Labels | License |\n|---|---|---|---|---|"
    return "\n".join([header, *(f"| {' | '.join(row)} |" for row in rows)])


def _import_loader(record: SourceRecord) -> Loader:
    if callable(record.loader):
        return record.loader
    return _import(record.loader)


def _import(text: str) -> Callable:
    module, _, function = text.partition(":")
    return getattr(import_module(module), function)


def _find_extension(name: str) -> SourceRecord:
    """The record of a source outside this package. Raises: InputError."""
    kind = name.partition(":")[0]
    if not extensions.is_extension(name, PREFIXES):
        of_kind = [record.name for record in SOURCES if record.prefix == kind]
        if of_kind:
            raise InputError(f"data.name {name!r} is incomplete: expected {of_kind[0]}")
        refuse_path(name)
        near = did_you_mean(name, [record.name for record in SOURCES])
        raise InputError(f"data.name {name!r} is unknown{near}: choose from {names()}")
    try:
        extension = extensions.load(name, "data.name")
    except InputError as error:
        raise InputError(f"{error}{did_you_mean(kind, PREFIXES)}") from error
    if isinstance(extension, SourceRecord):
        return extension
    if not callable(extension):
        raise InputError(
            f"data.name={name!r}: expected a function of a genjax.data.Request that returns a genjax.data.Source, or "
            f"a genjax.data.SourceRecord, got {type(extension).__name__}"
        )
    return SourceRecord(name, extension, "", "", "", "")
