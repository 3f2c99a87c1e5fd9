"""The directions of imports: the table in docs/architecture.md holds, and no module imports itself by a detour.

Imports inside functions count, and imports for type checkers alone as well.
"""

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "architecture.md"


def modules() -> dict[str, Path]:
    """Every module of genjax by its name below the package: "" is genjax itself, "run.recorder" a module."""
    paths = {path.relative_to(ROOT / "genjax").with_suffix(""): path for path in (ROOT / "genjax").rglob("*.py")}
    return {".".join(part for part in name.parts if part != "__init__"): path for name, path in paths.items()}


def imports(path: Path, names) -> Iterator[str]:
    """The modules of genjax that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            dotted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            dotted = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in dotted:
            if name.split(".")[0] == "genjax":
                name = name.partition(".")[2]
                yield name if name in names else name.rpartition(".")[0]


def graph() -> dict[str, set[str]]:
    """Module -> modules that it imports."""
    paths = modules()
    return {name: set(imports(path, paths)) - {name} for name, path in paths.items()}


def table() -> tuple[dict[str, str], dict[str, set[str]]]:
    """Room -> row, and row -> rows that it may import, as docs/architecture.md has them."""
    rooms = {}
    allowed = {}
    for line in PAGE.read_text().split("## Imports")[1].split("\n## ")[0].splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 3 and "`" in cells[1]:
            row, own, others = cells
            rooms |= dict.fromkeys(re.findall(r"`([\w.]+)`", own), row)
            allowed[row] = set(others.split(", ")) - {""}
    return rooms, allowed


def row_of(module: str, rooms: dict[str, str]) -> str:
    """The row of the longest room that a module lies in."""
    inside = [room for room in rooms if module == room or module.startswith(f"{room}.")]
    assert inside, f"{module} is in no row of the table in {PAGE.name}"
    return rooms[max(inside, key=len)]


def test_every_import_is_in_the_table():
    rooms, allowed = table()
    wrong = []
    for module, imported in graph().items():
        row = row_of(module or "genjax", rooms)
        for name in imported:
            other = row_of(name or "genjax", rooms)
            if other != row and other not in allowed[row]:
                wrong.append(f"{module} ({row}) imports {name} ({other})")
    assert not wrong, "\n".join(wrong)


def test_the_table_has_no_cycle_and_no_direction_that_nothing_takes():
    rooms, allowed = table()
    list(TopologicalSorter(allowed).static_order())
    imported = [(module, name) for module, names in graph().items() for name in names]
    taken = {tuple(row_of(name or "genjax", rooms) for name in pair) for pair in imported}
    unused = [f"{row} -> {other}" for row, others in allowed.items() for other in others if (row, other) not in taken]
    assert not unused, unused


def test_no_module_imports_itself_by_a_detour():
    try:
        list(TopologicalSorter(graph()).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


ALONE = {
    "orbax": ("engine.checkpoint",),
    "tensorstore": ("run.backup",),
    "flax.linen": ("nets", "tasks", "config", "weights"),
    "tensorflow_datasets": ("data.tfds",),
    "grain": ("data.workers",),
    "tensorboardX": ("run.writers",),
    "wandb": ("run.writers",),
    "mlflow": ("run.writers",),
    "trackio": ("run.writers",),
    "nicegui": ("exploration.page",),
    "filelock": ("run.workdir",),
}


@pytest.mark.parametrize("library", ALONE)
def test_a_library_is_imported_in_its_place_alone(library):
    """Packaged assets are built by scripts, which are no part of the library."""
    pattern = re.compile(rf"^\s*(import|from) {re.escape(library)}\b", re.MULTILINE)
    users = [name for name, path in modules().items() if pattern.search(path.read_text())]
    strangers = [name for name in users if not name.startswith((*ALONE[library], "assets"))]
    assert not strangers, strangers


def test_importing_genjax_imports_nothing_else():
    assert not graph()[""]
