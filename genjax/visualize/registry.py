"""The views by name: what --what, its messages and --help are made from."""

from genjax import extensions
from genjax.errors import InputError
from genjax.visualize import series, styles, views
from genjax.visualize.view import View, check

VIEWS: dict[str, View] = {
    record.name: record
    for module in (views, styles, series)
    for record in vars(module).values()
    if isinstance(record, View)
}
"""Name -> record, in the order of `--what=all`."""


def parse(text: str) -> dict[str, View]:
    """The views of a list such as "grid,latents,mine.views:depth"; "all" stands for all of VIEWS.

    Raises: InputError for an unknown name, or for an object of another package that is not a view.
    """
    names = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not names:
        raise InputError(f"--what is empty: expected all, or some of {', '.join(VIEWS)}")
    chosen = dict(VIEWS) if "all" in names else {}
    choices = {"all": None, **VIEWS}
    return chosen | {name: extensions.find(choices, name, "--what", check) for name in names if name != "all"}


def help_text() -> str:
    """One line per view, for --help."""
    return "\n".join(f"{name}: {record.help}." for name, record in VIEWS.items())
