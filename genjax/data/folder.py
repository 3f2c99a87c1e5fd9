"""The user's own images: a folder, with sub-folders as classes."""

import os
from pathlib import Path

import numpy as np

from genjax.data.encoded import EncodedImages, open_source, positions_of, survey
from genjax.data.images import Form
from genjax.data.source import Source, fingerprint_of_text
from genjax.data.splits import parse
from genjax.errors import InputError

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


def load_folder(name: str, split: str, form: Form) -> Source:
    """All PNG, JPEG and WebP images under a folder, as the split "train" (slices included).

    Hidden files are ignored. If every image is in a sub-folder, the first-level sub-folders are the labels, and the
    order is a fixed shuffle so that a slice holds every class; otherwise the order is that of the names.

    Raises: InputError if the folder or an image is missing, unreadable or broken, or sizes differ without data.size.
    """
    root = Path(name.partition(":")[2]).expanduser()
    parts = parse(split, ("train",))
    files = _find(root)
    labels, label_names = _labels(files)
    if labels is not None:
        order = np.random.default_rng(0).permutation(len(files))
        files, labels = [files[index] for index in order], labels[order]
    images = EncodedImages(
        count=len(files),
        fetch=lambda indices: [root / files[index] for index in indices],
        called=lambda index: str(root / files[index]),
    )
    shape = survey(images, form)
    indices = positions_of(part.bounds(len(files)) for part in parts)

    def describe() -> str:
        chosen = (f"{files[index]} {(root / files[index]).stat().st_size}" for index in indices)
        return fingerprint_of_text([f"folder {shape} {form.resize}", *chosen])

    return open_source(images, indices, form, shape, labels, label_names, name, split, describe)


def load_image(name: str, split: str, form: Form) -> Source:
    """One PNG, JPEG or WebP image, as the split "train". Raises: InputError if it is missing or broken."""
    path = Path(name.partition(":")[2]).expanduser()
    parts, images = parse(split, ("train",)), _alone(path)
    shape = survey(images, form)
    indices = positions_of(part.bounds(1) for part in parts)

    def describe() -> str:
        return fingerprint_of_text([f"image {shape} {form.resize}", f"{path.name} {path.stat().st_size}"])

    return open_source(images, indices, form, shape, None, (), name, split, describe)


def open_image(path: str | os.PathLike, size: tuple[int, int]) -> Source:
    """One image's file in color, squashed to a size (height, width). Raises: InputError."""
    return load_image(f"image:{path}", "train", Form(size, 3, "squash"))


def size_of_image(path: str | os.PathLike) -> tuple[int, int]:
    """Height and width of an image's file, of its header alone. Raises: InputError."""
    return survey(_alone(Path(path).expanduser()), Form(None, 3, "squash"))[:2]


def _alone(path: Path) -> EncodedImages:
    if not path.is_file():
        raise InputError(f"{path} {'is a folder' if path.is_dir() else 'does not exist'}: expected an image's file.")
    return EncodedImages(count=1, fetch=lambda indices: [path for _ in indices], called=lambda _: str(path))


def _find(root: Path) -> list[str]:
    """Relative names of all images, sorted, with "/" on every system."""
    if not root.is_dir():
        what = "is a file" if root.exists() else "does not exist"
        raise InputError(f"folder:{root} {what}: expected a folder with {', '.join(SUFFIXES)} files.")
    found, others = [], 0
    for folder, inner, names in os.walk(root, onerror=_refuse):
        inner[:] = [name for name in inner if not name.startswith(".")]
        for name in names:
            if name.startswith("."):
                continue
            if name.lower().endswith(SUFFIXES):
                found.append((Path(folder) / name).relative_to(root).as_posix())
            else:
                others += 1
    if not found:
        has = f"has {others} files but none of them is" if others else "is empty; expected"
        raise InputError(f"folder:{root} {has} an image ({', '.join(SUFFIXES)}).")
    return sorted(found)


def _refuse(error: OSError) -> None:
    raise InputError(f"{error.filename} cannot be read ({error.strerror}): change its permissions.") from error


def _labels(files: list[str]) -> tuple[np.ndarray | None, tuple[str, ...]]:
    folders = [name.rpartition("/")[0].partition("/")[0] for name in files]
    if not all(folders):
        return None, ()
    names = sorted(set(folders))
    number = {name: index for index, name in enumerate(names)}
    return np.array([number[folder] for folder in folders], np.int32), tuple(names)
