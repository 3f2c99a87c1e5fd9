"""The one argument of every loader: which examples are asked for, and in which form."""

from collections.abc import Callable
from dataclasses import dataclass

from genjax.data.images import AS_STORED, Form
from genjax.data.source import Source
from genjax.errors import InputError
from genjax.files import expand


@dataclass(frozen=True)
class Request:
    """A request for a source."""

    name: str  # as in config.data.name
    split: str = "train"  # also slices and sums, see `genjax.data.splits`
    form: Form = AS_STORED  # of images
    data_dir: str = ""  # config.data.dir; "" for the default
    labels: str = ""  # config.data.labels, a table of labels by file name; "" for the default
    skip_broken: bool = False  # leave out broken images instead of refusing all
    open: Callable[[str], Source] | None = None  # opens another source by name, with all else the same

    @property
    def argument(self) -> str:
        """The part of the name after its colon, as PATH in "folder:PATH", with ~ as the home folder.

        Raises: InputError if there is no such home.
        """
        return expand(self.name.partition(":")[2])

    def refuse_image_form(self, contents: str) -> None:
        """Refuse a size and channels for data that are not images. Raises: InputError."""
        if self.form.size or self.form.channels:
            raise InputError(f"{self.name} has {contents}, not images: leave data.size and data.channels unset.")
