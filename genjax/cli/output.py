"""Files that commands write: their names are checked first, and a failure to write is one line."""

import contextlib
import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from genjax.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image


@contextlib.contextmanager
def writing(target: object) -> Iterator[None]:
    """Write files within: an OSError becomes an InputError that names `target`, such as "--out=grid.png"."""
    try:
        yield
    except OSError as error:
        flag = str(target).partition("=")[0] if str(target).startswith("--") else "--out"
        raise InputError(f"{target} cannot be written: {error.strerror or error}; choose another {flag}") from error


def check_place(target: object, path: Path, append: bool = False) -> None:
    """Refuse a file that cannot be written, before the work of making it. Raises: InputError that names `target`."""
    from genjax import files

    with writing(target):
        files.try_writing(path, append)


def check_folder(target: object, path: Path) -> None:
    """Refuse a folder that has contents or cannot be made, before the work. Raises: InputError that names `target`."""
    if path.exists() and not path.is_dir():
        raise InputError(f"{target} is a file: expected a folder, which is made")
    if path.is_dir() and any(path.iterdir()):
        raise InputError(f"{target} is not empty: choose another folder, or empty it")
    check_place(target, path / "README.md")


def file_of(text: str, suffix: str, flag: str = "--out") -> Path:
    """The file that a flag names. Raises: InputError if its name does not end in `suffix`, or it cannot be written."""
    if Path(text).suffix != suffix:
        raise InputError(f"{flag}={text}: expected a {suffix}")
    check_place(f"{flag}={text}", Path(text))
    return Path(text)


def write_npz(target: object, path: Path, arrays: dict[str, "np.ndarray"]) -> None:
    """Write arrays as a .npz. Raises: InputError that names `target` if it cannot be written."""
    import numpy as np

    from genjax import files

    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    with writing(target):
        files.write_bytes(path, buffer.getvalue())


def names_of_files(names: Sequence[str] | None, count: int = 0) -> list[str]:
    """Names for files of examples, without endings: those of the examples, or the numbers of `count` without names.

    Sub-folders are kept. Names that differ in their endings alone keep these: "x.jpg" and "x.png" are two files. Equal
    names, such as of rows of a table, get numbers.
    """
    if names is None:
        return [f"{index:06d}" for index in range(count)]
    parts = ([part for part in PurePosixPath(name).parts if part not in ("/", "..")] for name in names)
    safe = ["/".join(path) or "_" for path in parts]
    stems = [str(PurePosixPath(name).with_suffix("")) for name in safe]
    twice = {stem for stem, occurrences in Counter(stem.lower() for stem in stems).items() if occurrences > 1}
    chosen = [name if stem.lower() in twice else stem for name, stem in zip(safe, stems, strict=True)]
    equal = {name for name, occurrences in Counter(chosen).items() if occurrences > 1}
    return [f"{stems[index]}.{index:06d}" if name in equal else name for index, name in enumerate(chosen)]


@dataclass(frozen=True)
class Destination:
    """Destination of examples: one image of all, the raw array, alone or with names, or a folder of one PNG each."""

    text: str  # as given by the user
    kind: str  # "png", "npy", "npz" or "folder"

    HELP = (
        "A .png for one image, a .npy for the raw array, a .npz for the array x with names, or a folder (ending in /) "
        "for one PNG per example (one .npy if it has more than 4 channels; one .wav of sound)."
    )

    @classmethod
    def parse(cls, text: str) -> "Destination":
        """The destination that --out names. Raises: InputError for another kind of file, or if it cannot be written."""
        path = Path(text)
        if text.endswith("/") or path.is_dir():
            check_place(f"--out={text}", path / "0.png")
            return cls(text, "folder")
        if path.suffix not in (".png", ".npy", ".npz"):
            raise InputError(f"--out={text}: expected a .png, a .npy, a .npz or a folder (ending in /)")
        check_place(f"--out={text}", path)
        return cls(text, path.suffix[1:])

    def check(self, are_images: bool) -> None:
        """Raises: InputError if the destination is a folder and the examples are not images."""
        if self.kind == "folder" and not are_images:
            raise InputError(f"--out={self.text}: the data are not images; a .png plots them, a .npy holds them")

    def write(
        self,
        x: "np.ndarray",
        names: list[str] | None,
        draw: Callable[[], "Image"],
        title: str = "",
        encode: Callable[["np.ndarray"], tuple[str, bytes]] | None = None,
    ) -> None:
        """Write examples `x` [N, ...] and their names (None: numbers); `draw` makes the one image.

        `encode` gives the ending and contents of an example's own file; None: those of an image.
        Raises: InputError if they cannot be written.
        """
        import numpy as np

        from genjax import files
        from genjax.report import display, figures

        encode = encode or display.file_of
        path = Path(self.text)
        with writing(f"--out={self.text}"):
            if self.kind == "folder":
                for name, image in zip(names_of_files(names, len(x)), x, strict=True):
                    suffix, data = encode(image)
                    files.write_bytes(path / f"{name}{suffix}", data)
            elif self.kind == "npz":
                names = np.array(names_of_files(None, len(x)) if names is None else names, np.str_)
                write_npz(f"--out={self.text}", path, {"x": x, "names": names})
            elif self.kind == "npy":
                buffer = io.BytesIO()
                np.save(buffer, x, allow_pickle=False)
                files.write_bytes(path, buffer.getvalue())
            else:
                figures.save_png(path, draw(), title)
