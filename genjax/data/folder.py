"""The user's own images: a folder, with sub-folders as classes, or one file."""

import os
from pathlib import Path

import numpy as np

from genjax.data.encoded import EncodedImages, common_shape, concatenate_ranges, source_of_images
from genjax.data.images import Form
from genjax.data.request import Request
from genjax.data.source import Source, fingerprint_of_text
from genjax.data.splits import parse
from genjax.errors import InputError

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


def load_folder(request: Request) -> Source:
    """All PNG, JPEG and WebP images under a folder, as the split "train" (slices included).

    Hidden files are ignored. If every image is in a sub-folder, the first-level sub-folders are the labels, and the
    order is a fixed shuffle so that a slice holds every class; otherwise images are ordered by name.
    Raises: InputError if the folder or an image is missing, unreadable or broken, or sizes differ without data.size.
    """
    root = Path(request.argument).expanduser()
    parts = parse(request.split, ("train",))
    files = _list_images(root)
    labels, label_names = _labels(files)
    if labels is not None:
        order = np.random.default_rng(0).permutation(len(files))
        files = [files[index] for index in order]
        labels = labels[order]
    images = EncodedImages(
        count=len(files),
        files=lambda indices: [root / files[index] for index in indices],
        name=lambda index: str(root / files[index]),
    )
    shape = common_shape(images, request.form)
    indices = concatenate_ranges(part.bounds(len(files)) for part in parts)

    def describe() -> str:
        chosen = (f"{files[index]} {(root / files[index]).stat().st_size}" for index in indices)
        return fingerprint_of_text([f"folder {shape} {request.form.resize}", *chosen])

    return source_of_images(request, images, indices, shape, describe, labels, label_names)


def load_image(request: Request) -> Source:
    """One PNG, JPEG or WebP image, as the split "train". Raises: InputError if it is missing or broken."""
    path = Path(request.argument).expanduser()
    parts = parse(request.split, ("train",))
    images = _single_image(path)
    shape = common_shape(images, request.form)
    indices = concatenate_ranges(part.bounds(1) for part in parts)

    def describe() -> str:
        return fingerprint_of_text([f"image {shape} {request.form.resize}", f"{path.name} {path.stat().st_size}"])

    return source_of_images(request, images, indices, shape, describe)


def open_image(path: str | os.PathLike, size: tuple[int, int]) -> Source:
    """One image in color, squashed to a size (height, width). Raises: InputError."""
    return load_image(Request(f"image:{path}", form=Form(size, 3, "squash")))


def size_of_image(path: str | os.PathLike) -> tuple[int, int]:
    """Height and width of an image, from its header alone. Raises: InputError."""
    return common_shape(_single_image(Path(path).expanduser()), Form(None, 3, "squash"))[:2]


def _single_image(path: Path) -> EncodedImages:
    if not path.is_file():
        reason = "is a folder" if path.is_dir() else "does not exist"
        raise InputError(f"{path} {reason}: expected an image file ({', '.join(SUFFIXES)}).")
    return EncodedImages(count=1, files=lambda indices: [path for _ in indices], name=lambda _: str(path))


def _list_images(root: Path) -> list[str]:
    """Relative names of all images, sorted, with "/" on every system."""
    if not root.is_dir():
        reason = "is a file" if root.exists() else "does not exist"
        raise InputError(f"folder:{root} {reason}: expected a folder with {', '.join(SUFFIXES)} files.")
    images = []
    others = 0
    for folder, inner, names in os.walk(root, onerror=_refuse):
        inner[:] = [name for name in inner if not name.startswith(".")]
        for name in names:
            if name.startswith("."):
                continue
            if name.lower().endswith(SUFFIXES):
                images.append((Path(folder) / name).relative_to(root).as_posix())
            else:
                others += 1
    if not images:
        contents = f"has {others} files but none of them is" if others else "is empty; expected"
        raise InputError(f"folder:{root} {contents} an image ({', '.join(SUFFIXES)}).")
    return sorted(images)


def _refuse(error: OSError) -> None:
    raise InputError(f"{error.filename} cannot be read ({error.strerror}): change its permissions.") from error


def _labels(files: list[str]) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """The first-level sub-folders as labels int32 [N] and their names; None if an image is in no sub-folder."""
    folders = [name.rpartition("/")[0].partition("/")[0] for name in files]
    if not all(folders):
        return None, ()
    names = sorted(set(folders))
    number = {name: index for index, name in enumerate(names)}
    return np.array([number[folder] for folder in folders], np.int32), tuple(names)
