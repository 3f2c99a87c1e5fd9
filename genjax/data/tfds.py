"""Any data set that TFDS has prepared as array_record. TensorFlow is never imported."""

import json
import os
import re
from pathlib import Path

import numpy as np

from genjax.data.encoded import EncodedImages, open_source, positions_of, survey
from genjax.data.images import Form
from genjax.data.source import Source, fingerprint_of_text
from genjax.data.splits import parse
from genjax.errors import InputError, did_you_mean


def load_tfds(name: str, split: str, form: Form, data_dir: str) -> Source:
    """The feature `image` of a prepared data set, and `label` if it has one; NAME, NAME/CONFIG or NAME:VERSION.

    Labels of a set too large for memory are read in one pass when it is opened.

    Raises: InputError if it is not prepared, in another format than array_record, or without the feature or split.
    """
    root = data_dir_of(data_dir)
    folder = find(root, name.partition(":")[2])
    builder = open_builder(folder)
    info, features = builder.info, features_of(builder)
    splits = {key: value.num_examples for key, value in info.splits.items()}
    parts = parse(split, splits)
    bounds = [(part.name, *part.bounds(splits[part.name])) for part in parts]
    # One table over the splits in use, so that an index means one example.
    names = list(dict.fromkeys(part for part, *_ in bounds))
    first = dict(zip(names, np.cumsum([0, *(splits[part] for part in names)]).tolist(), strict=False))
    indices = positions_of((first[part] + start, first[part] + stop) for part, start, stop in bounds)
    images, read_labels = images_of(builder, names)
    shape = _static_shape(features["image"], form) or survey(images, form)
    labels = read_labels() if read_labels else None
    label_names = tuple(getattr(features.get("label"), "names", None) or ()) if read_labels else ()

    def describe() -> str:
        shards = (path for part in names for path in info.splits[part].filepaths)
        sizes = [f"{Path(path).name} {Path(path).stat().st_size}" for path in shards]
        return fingerprint_of_text([f"{info.full_name} {split} {shape} {form.resize}", *sizes])

    return open_source(images, indices, form, shape, labels, label_names, name, split, describe)


def data_dir_of(data_dir: str) -> Path:
    """The folder of data sets: as given, else TFDS_DATA_DIR, else TFDS's own default."""
    return Path(data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets").expanduser()


def find(root: Path, name: str) -> Path:
    """The folder of the newest (or the named) version of a prepared data set.

    Raises: InputError saying where was looked and what is there.
    """
    path, _, version = name.partition(":")
    folder = root / path
    found = _versions(folder)
    if version in found or (found and not version):
        return folder / (version or max(found, key=lambda text: [int(number) for number in text.split(".")]))
    if found:
        raise InputError(f"tfds:{name}: {folder} has version {', '.join(found)}. Ask for one of these, or for none.")
    configs = [child.name for child in _folders(folder) if _versions(child)]
    if configs and "/" not in path:
        raise InputError(f"tfds:{name} needs a configuration: " + ", ".join(f"tfds:{path}/{c}" for c in configs) + ".")
    known = [child.name for child in _folders(root) if any(map(_versions, (child, *_folders(child))))]
    there = f"there are {', '.join(known)}" if known else "nothing is prepared there"
    raise InputError(
        f"tfds:{name} is not prepared in {root} ({there}){did_you_mean(path, known)}. "
        "Set data.dir, or prepare it with TFDS and file_format='array_record'."
    )


def open_builder(folder: Path):
    """A TFDS builder over prepared files.

    Raises: InputError if they are not array_record or have no feature `image` of 8 or 16 bits.
    """
    formats = json.loads((folder / "dataset_info.json").read_text("utf-8"))
    formats = {formats.get("fileFormat", "tfrecord"), *formats.get("alternativeFileFormats", ())}
    if "array_record" not in formats:
        raise InputError(
            f"{folder} is stored as {', '.join(sorted(formats))}, which needs TensorFlow to read: prepare it again "
            "with file_format='array_record'."
        )
    import tensorflow_datasets as tfds

    builder = tfds.builder_from_directory(folder, file_format="array_record")
    features = features_of(builder)
    image = features.get("image")
    if not isinstance(image, tfds.features.Image) or np.dtype(image.np_dtype) not in (np.uint8, np.uint16):
        raise InputError(f"{folder} has no image feature `image`; its features: {', '.join(sorted(features))}.")
    return builder


def features_of(builder) -> dict:
    """The features of a data set by name; none if it is not a table of named features."""
    features = builder.info.features
    return dict(features.items()) if hasattr(features, "items") else {}


def images_of(builder, names: list[str]):
    """The images of these splits, one after the other, and a function that reads their labels (or None)."""
    import tensorflow_datasets as tfds

    features = features_of(builder)
    info, raw = builder.info, tfds.decode.DeserializeMethod.RAW_BYTES
    missing = [path for part in names for path in info.splits[part].filepaths if not Path(path).is_file()]
    if missing:
        raise InputError(f"{missing[0]} is missing: copy or prepare {info.full_name} again.")
    records = builder.as_data_source("+".join(names), deserialize_method=raw)

    def column(key: str, decoders=None):
        only = tfds.features.FeaturesDict({key: features[key]})

        def read(indices) -> list:
            try:
                rows = records.__getitems__([int(index) for index in indices])
                return [only.deserialize_example_np(row, decoders=decoders)[key] for row in rows]
            except Exception as error:  # array_record and protobuf raise their own kinds
                reason = str(error).partition("\n")[0]
                raise InputError(f"{info.full_name} is damaged ({reason}): copy or prepare it again.") from error

        return read

    images = EncodedImages(
        count=len(records),
        fetch=column("image", {"image": tfds.decode.SkipDecoding()}),
        called=lambda index: f"{info.full_name} ({'+'.join(names)}) example {index}",
    )
    label = features.get("label")
    if label is None or label.shape != () or not np.issubdtype(label.np_dtype, np.integer):
        return images, None
    read, chunk = column("label"), 1024
    return images, lambda: np.concatenate(
        [
            np.array(read(range(start, min(start + chunk, len(records)))), np.int32)
            for start in range(0, len(records), chunk)
        ]
    )


def _static_shape(image, form: Form) -> tuple[int, int, int] | None:
    """The shape of every image as far as the data set promises it; None if images must be asked."""
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
