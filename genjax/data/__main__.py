"""The table of data sources in Markdown; `--write docs/data.md` renews it between the markers of that page."""

import argparse
import sys
from pathlib import Path

from genjax.data.registry import table
from genjax.files import write_bytes

BEGIN = "<!-- begin: python -m genjax.data --write docs/data.md -->"
END = "<!-- end -->"


def with_table(text: str) -> str:
    """A page with the current table between its markers. Raises: ValueError if it lacks the markers."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"expected a page with the lines {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


def main() -> None:
    """Print the table, or write it into a page."""
    parser = argparse.ArgumentParser(prog="python -m genjax.data", description=__doc__)
    parser.add_argument("--write", type=Path, help="a Markdown page with the markers")
    path = parser.parse_args().write
    if path is None:
        print(table())
        return
    try:
        write_bytes(path, with_table(path.read_text("utf-8")).encode())
    except (OSError, ValueError) as error:
        sys.exit(f"{path}: {error}")


if __name__ == "__main__":
    main()
