"""Data sets that TFDS has prepared as array_record. TFDS is imported when one is opened, TensorFlow never."""

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from genjax.data.checked import ImageFiles, open_checked
from genjax.data.encoded import EncodedImages, common_shape, concatenate_ranges, digests, read_headers, source_of_images
from genjax.data.images import Form, form_text
from genjax.data.labels import Labels
from genjax.data.request import Request
from genjax.data.source import Source, fingerprint_of_text
from genjax.data.splits import parse
from genjax.errors import InputError, did_you_mean
from genjax.files import expand

LABELS_AT_ONCE = 1024


def load_tfds(request: Request) -> Source:
    """The feature `image` of a prepared data set, and `label` if it has one; NAME, NAME/CONFIG or NAME:VERSION.

    Labels of a data set that is too large for memory are read in one pass when it is opened.
    Raises: InputError if it is not prepared, in another format than array_record, or without the feature or split.
    """
    if request.skip_broken:
        return open_checked(request, find_tfds(request))
    builder = open_builder(find_prepared(data_dir_of(request.data_dir), request.argument))
    info = builder.info
    sizes = {key: value.num_examples for key, value in info.splits.items()}
    bounds = [(part.name, *part.bounds(sizes[part.name])) for part in parse(request.split, sizes)]
    # One table over all splits in use, so that each index is one example.
    names = list(dict.fromkeys(split for split, *_ in bounds))
    first = dict(zip(names, np.cumsum([0, *(sizes[split] for split in names)]).tolist(), strict=False))
    indices = concatenate_ranges((first[split] + start, first[split] + stop) for split, start, stop in bounds)
    images, read_labels = images_and_labels(builder, names)
    features = features_of(builder)
    shape = _static_shape(features["image"], request.form) or common_shape(
        images, read_headers(images, request.form), request.form
    )

    def describe() -> str:
        paths = [Path(path) for split in names for path in info.splits[split].filepaths]
        shards = EncodedImages(len(paths), lambda chosen: [paths[i] for i in chosen], lambda index: str(paths[index]))
        contents = digests(shards, np.arange(len(paths)))
        text = f"{info.full_name} {request.split} {shape} {request.form.text}"
        return fingerprint_of_text(
            [text, *(f"{path.name} {digest}" for path, digest in zip(paths, contents, strict=True))]
        )

    labels = None if read_labels is None else read_labels()
    label_names = () if labels is None else _label_names(builder)
    source = source_of_images(request, images, indices, shape, describe, labels, label_names)
    return replace(source, form=form_text(features["image"].shape, shape, request.form))


def find_tfds(request: Request) -> ImageFiles:
    """The images of the splits of a prepared data set that are asked for. Raises: InputError, as `load_tfds`."""
    builder = open_builder(find_prepared(data_dir_of(request.data_dir), request.argument))
    sizes = {key: value.num_examples for key, value in builder.info.splits.items()}
    names = list(dict.fromkeys(part.name for part in parse(request.split, sizes)))
    images, read_labels = images_and_labels(builder, names)
    stops = np.cumsum([sizes[name] for name in names]).tolist()
    splits = {name: np.arange(stop - sizes[name], stop) for name, stop in zip(names, stops, strict=True)}
    if read_labels is None:
        return ImageFiles(images, splits)
    return ImageFiles(images, splits, Labels(read_labels(), _label_names(builder)))


def data_dir_of(data_dir: str) -> Path:
    """The folder of data sets: data.dir, else the environment's TFDS_DATA_DIR, else TFDS's own default."""
    return Path(expand(data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"))


def find_prepared(root: Path, name: str) -> Path:
    """The folder of the newest (or the named) version of a prepared data set.

    Raises: InputError with the folder that was searched and the data sets in it.
    """
    path, _, version = name.partition(":")
    folder = root / path
    versions = _versions(folder)
    if version in versions or (versions and not version):
        return folder / (version or max(versions, key=lambda text: [int(number) for number in text.split(".")]))
    if versions:
        raise InputError(f"tfds:{name}: {folder} has version {', '.join(versions)}. Name one of these, or none.")
    configs = [child.name for child in _folders(folder) if _versions(child)]
    if configs and "/" not in path:
        raise InputError(f"tfds:{name} needs a configuration: " + ", ".join(f"tfds:{path}/{c}" for c in configs) + ".")
    known = [child.name for child in _folders(root) if any(map(_versions, (child, *_folders(child))))]
    contents = f"it has {', '.join(known)}" if known else "it has no prepared data set"
    raise InputError(
        f"tfds:{name} is not prepared in {root} ({contents}){did_you_mean(path, known)}. "
        "Set data.dir, or prepare it with TFDS and file_format='array_record'."
    )


def open_builder(folder: Path):
    """A TFDS builder over prepared files.

    Raises: InputError if they are not array_record, have no feature `image` of 8 or 16 bits, or TFDS is not installed.
    """
    formats = json.loads((folder / "dataset_info.json").read_text("utf-8"))
    formats = {formats.get("fileFormat", "tfrecord"), *formats.get("alternativeFileFormats", ())}
    if "array_record" not in formats:
        raise InputError(
            f"{folder} is stored as {', '.join(sorted(formats))}, which needs TensorFlow to read: prepare it again "
            "with file_format='array_record'."
        )
    tfds = import_tfds()
    builder = tfds.builder_from_directory(folder, file_format="array_record")
    features = features_of(builder)
    image = features.get("image")
    if not isinstance(image, tfds.features.Image) or np.dtype(image.np_dtype) not in (np.uint8, np.uint16):
        raise InputError(f"{folder} has no image feature `image`; its features: {', '.join(sorted(features))}.")
    return builder


def import_tfds():
    """The module tensorflow_datasets, which can read array_record. Raises: InputError if one of them is missing."""
    try:
        import array_record  # noqa: F401
        import tensorflow_datasets
    except ImportError as error:
        raise InputError(
            f"tfds:NAME needs the packages tensorflow-datasets and array_record ({error}): install them with pip, on "
            "Linux or macOS"
        ) from error
    return tensorflow_datasets


def features_of(builder) -> dict:
    """The features of a data set by name; empty if it is not a table of named features."""
    features = builder.info.features
    return dict(features.items()) if hasattr(features, "items") else {}


def images_and_labels(builder, names: list[str]) -> tuple[EncodedImages, Callable[[], np.ndarray] | None]:
    """The images of these splits, one split after another, and a function that reads their labels.

    The function is None if examples have no feature `label` that is one integer.
    Raises: InputError if a file of the data set is missing.
    """
    tfds = import_tfds()
    features = features_of(builder)
    info = builder.info
    raw = tfds.decode.DeserializeMethod.RAW_BYTES
    missing = [path for split in names for path in info.splits[split].filepaths if not Path(path).is_file()]
    if missing:
        raise InputError(f"{missing[0]} is missing: copy or prepare {info.full_name} again.")
    records = builder.as_data_source("+".join(names), deserialize_method=raw)

    def column(key: str, decoders=None):
        feature = tfds.features.FeaturesDict({key: features[key]})

        def read(indices) -> list:
            try:
                rows = records.__getitems__([int(index) for index in indices])
                return [feature.deserialize_example_np(row, decoders=decoders)[key] for row in rows]
            except Exception as error:  # array_record and protobuf raise exceptions of their own
                reason = str(error).partition("\n")[0]
                raise InputError(f"{info.full_name} is damaged ({reason}): copy or prepare it again.") from error

        return read

    images = EncodedImages(
        count=len(records),
        files=column("image", {"image": tfds.decode.SkipDecoding()}),
        name=lambda index: f"{info.full_name} ({'+'.join(names)}) example {index}",
    )
    label = features.get("label")
    if label is None or label.shape != () or not np.issubdtype(label.np_dtype, np.integer):
        return images, None
    read = column("label")

    def read_labels() -> np.ndarray:
        starts = range(0, len(records), LABELS_AT_ONCE)
        chunks = (read(range(start, min(start + LABELS_AT_ONCE, len(records)))) for start in starts)
        return np.concatenate([np.array(labels, np.int32) for labels in chunks])

    return images, read_labels


def _label_names(builder) -> tuple[str, ...]:
    return tuple(getattr(features_of(builder)["label"], "names", None) or ())


def _static_shape(image, form: Form) -> tuple[int, int, int] | None:
    """The shape of every image if the data set declares it; None if it depends on the images."""
    height, width = form.size or image.shape[:2]
    channels = form.channels or {1: 1, 3: 3, 4: 3}.get(image.shape[2])
    return (height, width, channels) if height and width and channels else None


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _versions(folder: Path) -> list[str]:
    return [
        path.name
        for path in _folders(folder)
        if re.fullmatch(r"\d+\.\d+\.\d+", path.name) and (path / "dataset_info.json").is_file()
    ]
