"""Renew what is computed of the configs: python -m experiments.configs

Writes configs/index.json, which `genjax configs` and the site read, and the README's table of models.
"""

import dataclasses
import json
from pathlib import Path

import jax
from ml_collections import ConfigDict

from genjax import config_files, config_table
from genjax.config import override
from genjax.data.source import Source
from genjax.engine.loop import shapes
from genjax.engine.phase import Task
from genjax.files import write_bytes
from genjax.run.training import prepare

ROOT = Path(__file__).resolve().parents[1]
BEGIN = "<!-- begin: python -m experiments.configs -->"
END = "<!-- end -->"


def size_of(config: ConfigDict, source: Source, task: Task) -> config_table.Size:
    """The entry of a config in the index; no array is made."""
    nets = shapes(task).nets
    parameters = {name: sum(a.size for a in jax.tree.leaves(net.params)) for name, net in sorted(nets.items())}
    phases = tuple(phase.name for phase in task.phases)
    form = (source.name, source.size, source.shape)
    return config_table.Size(config.task, *form, parameters, task.steps, config.batch, phases)


def prepared(spec: str, keys: dict | None = None) -> config_table.Size:
    """The entry of a config by its name, with some keys changed."""
    config = config_files.load(spec)
    override(config, keys or {})
    source, task, _ = prepare(config)
    return size_of(config, source, task)


def index() -> dict[str, dict]:
    """The index of all configs, and of the measured runs that the README's table shows."""
    specs = {name: (name, {}) for name in config_files.names()}
    specs |= {row.spec: (row.config, row.keys) for row in config_table.results() if row.keys and not _elsewhere(row)}
    specs |= {row.spec: (row.config, row.keys) for row in config_table.results() if row.model}
    return {key: dataclasses.asdict(prepared(*spec)) for key, spec in specs.items()}


def _elsewhere(row: config_table.Result) -> bool:
    """Whether the data of a run are not packaged."""
    return row.keys.get("data.name") == "fashion_mnist"


def with_table(text: str) -> str:
    """The README with the current table between its markers. Raises: ValueError if it lacks them."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"expected a page with the lines {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n\n{config_table.readme_table()}\n\n{END}{after}"


def as_json(entries: dict[str, dict]) -> str:
    """The index as text, one line per entry."""
    lines = [f"{json.dumps(key)}: {json.dumps(entry)}" for key, entry in entries.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> None:
    """Write both files."""
    write_bytes(config_files.FOLDER / config_table.INDEX, as_json(index()).encode())
    config_table.sizes.cache_clear()
    readme = ROOT / "README.md"
    write_bytes(readme, with_table(readme.read_text("utf-8")).encode())


if __name__ == "__main__":
    main()
