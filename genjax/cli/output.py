"""Files that commands write: their names are checked first, and a failure to write is one line."""

import contextlib
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
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
        raise InputError(f"{target} cannot be written: {error.strerror or error}") from error


def file_of(text: str, suffix: str, flag: str = "--out") -> Path:
    """The file that a flag names. Raises: InputError if its name does not end in `suffix`."""
    if Path(text).suffix != suffix:
        raise InputError(f"{flag}={text}: expected a {suffix}")
    return Path(text)


def write_npz(target: object, path: Path, arrays: dict[str, "np.ndarray"]) -> None:
    """Write arrays as a .npz. Raises: InputError that names `target` if it cannot be written."""
    import numpy as np

    from genjax import files

    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    with writing(target):
        files.write_bytes(path, buffer.getvalue())


@dataclass(frozen=True)
class Destination:
    """Destination of examples: one image of all (.png), the raw array (.npy), or a folder with one PNG per example."""

    text: str  # as given by the user
    kind: str  # "png", "npy" or "folder"

    HELP = "A .png for one image, a .npy for the raw array, or a folder (ending in /) for one PNG per example."

    @classmethod
    def parse(cls, text: str) -> "Destination":
        """The destination that --out names. Raises: InputError for another kind of file."""
        path = Path(text)
        if text.endswith("/") or path.is_dir():
            return cls(text, "folder")
        if path.suffix not in (".png", ".npy"):
            raise InputError(f"--out={text}: expected a .png, a .npy or a folder (ending in /)")
        return cls(text, path.suffix[1:])

    def check(self, are_images: bool) -> None:
        """Raises: InputError if the destination is a folder and the examples are not images."""
        if self.kind == "folder" and not are_images:
            raise InputError(f"--out={self.text}: the data are not images; a .png plots them, a .npy holds them")

    def write(self, x: "np.ndarray", names: Iterable[str], draw: Callable[[], "Image"], title: str = "") -> None:
        """Write examples `x` [N, ...]: `names` are those of a folder's files, `draw` makes the one image.

        Raises: InputError if they cannot be written.
        """
        import numpy as np

        from genjax import files
        from genjax.report import figures

        path = Path(self.text)
        with writing(f"--out={self.text}"):
            if self.kind == "folder":
                for name, image in zip(names, x, strict=True):
                    figures.save_png(path / f"{name}.png", figures.grid(image[None], pad=0, scale=1))
            elif self.kind == "npy":
                buffer = io.BytesIO()
                np.save(buffer, x, allow_pickle=False)
                files.write_bytes(path, buffer.getvalue())
            else:
                figures.save_png(path, draw(), title)
