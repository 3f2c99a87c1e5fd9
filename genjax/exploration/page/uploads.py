"""Files that a page is given: kept by their content, so that a command can name them."""

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from genjax import files
from genjax.errors import InputError
from genjax.exploration.page.tab import Tab

LARGEST = 2**25  # bytes


def keep(folder: Path, content: bytes, name: str, read: Callable) -> Path:
    """Keep an upload as a file, so that a command can name it. Raises: InputError, by `name`, if `read` refuses it."""
    suffix = Path(name).suffix.lower()
    path = folder / f"{hashlib.sha256(content).hexdigest()[:12]}{suffix if suffix.isascii() else ''}"
    is_new = not path.exists()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_bytes(path, content)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}): choose another --uploads") from error
    try:
        read(str(path))
    except InputError as error:
        if is_new:
            path.unlink(missing_ok=True)
        text, _, _ = str(error).replace(str(path), name).partition(" Replace or remove them")  # advice for data sets
        raise InputError(text) from error
    return path


def chooser(tab: Tab, number: int, label: str, on_path: Callable[[Path], object], read: Callable | None = None) -> None:
    """A field for an image's file; `on_path` gets the file that is kept of it, `read` refuses others."""

    async def upload(event):
        content, name = await event.file.read(), event.file.name
        check = read or (lambda path: tab.explorer.read(path, tab.request.to))
        path = await tab.attempt(partial(keep, tab.uploads, content, name, check))
        if path is not None:
            result = on_path(path)
            if result is not None:
                await result

    def refuse():
        tab.tell(f"The file was refused: expected an image of up to {LARGEST >> 20} MiB")

    options = {"auto_upload": True, "max_file_size": LARGEST, "label": label}
    field = tab.ui.upload(on_upload=upload, on_rejected=refuse, **options)
    field.classes("w-full").props(f'id=upload{number} accept="image/*" flat bordered')
