"""A page per config, made from the config: what it is, its nets with shapes, its loss, phases, keys and results."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
from ml_collections import ConfigDict

from docs.site import drawing
from docs.site.sources import outside_code, put
from genjax import config_files, config_table, tasks
from genjax.config import changes
from genjax.engine.phase import Task, scheduled_phases
from genjax.engine.state import State
from genjax.losses import adversarial, penalty, reconstruction, sparsity

CODE_OF_NETS = ("nets", "tasks", "losses", "ops", "engine")
"""Folders of the code by which a page follows from its config."""

DEPTH = 2
"""Modules of a net that a table shows: those in it, and those in these."""


@dataclass
class Call:
    """A call of a module while the state is made: where, of what class, and the shape of its output."""

    root: Any  # the scope of the net
    path: tuple[str, ...]
    name: str
    shape: tuple[int, ...]
    parameters: dict[str, Any]


def calls_of(task: Task) -> tuple[list[Call], State]:
    """The calls of modules in a task's `init`, in the order of their beginning, and its state; no array is made."""
    calls: list[Call] = []

    def intercept(function, arguments, options, context):
        if context.method_name.startswith(("_", "setup")) and context.method_name != "__call__":
            return function(*arguments, **options)
        module = context.module
        call = Call(module.scope.root, module.path, type(module).__name__, (), {})
        calls.append(call)
        out = function(*arguments, **options)
        leaf = next((a for a in jax.tree.leaves(out) if hasattr(a, "shape")), None)
        call.shape = tuple(leaf.shape) if leaf is not None else ()
        call.parameters = jax.tree.map(lambda a: a.size, dict(module.variables.get("params", {})))
        return out

    jax.clear_caches()  # a cached trace calls no module
    with nn.intercept_methods(intercept):
        state = jax.eval_shape(task.init, jax.random.key(0))
    return calls, state


def nets_of(task: Task) -> dict[str, list[Call]]:
    """The calls of each net of a task, matched by the structure of its parameters."""
    calls, state = calls_of(task)
    groups: dict[int, list[Call]] = {}
    for call in calls:
        groups.setdefault(id(call.root), []).append(call)
    nets: dict[str, list[Call]] = {}
    for name, net in state.nets.items():
        sizes = jax.tree.map(lambda a: a.size, net.params)
        own = [group for group in groups.values() if any(not c.path and c.parameters == sizes for c in group)]
        if own and sizes:
            nets[name] = max(own, key=len)
    return nets


def total(tree: Any) -> int:
    """The sum of the sizes in a tree."""
    return sum(jax.tree.leaves(tree))


def rows_of(calls: list[Call]) -> Iterator[tuple[str, str, str, str]]:
    """Rows of a net's table: module, class, shape of the output of one example, parameters."""
    seen = set()
    for call in calls:
        if 1 <= len(call.path) <= DEPTH and call.path not in seen:
            seen.add(call.path)
            indent = "&emsp;" * (len(call.path) - 1)
            yield f"{indent}`{call.path[-1]}`", call.name, shape_text(call.shape[1:]), f"{total(call.parameters):,}"


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape without the batch: "7 x 7 x 128"; "1" for a number."""
    return " x ".join(map(str, shape)) or "1"


def chain_of(calls: list[Call], shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The shapes through a net, beginning with its input's: of calls of the net's own modules, equal neighbors once."""
    chain = [shape] if shape else []
    depth = 1 if any(call.path for call in calls) else 0  # a net without modules has methods that are its parts
    for call in calls[1 - depth :]:
        if len(call.path) == depth and call.shape[1:] and (not chain or call.shape[1:] != chain[-1]):
            chain.append(call.shape[1:])
    last = next((call.shape[1:] for call in reversed(calls) if not call.path and call.shape[1:]), ())
    return [*chain, last] if last and [last] != chain[-1:] else chain


# -- words


def linked(text: str) -> str:
    """Text with its arXiv numbers as links."""

    def link(match: re.Match) -> str:
        return f"[arXiv:{match[1]}](https://arxiv.org/abs/{match[1]})"

    return outside_code(text, lambda part: re.sub(r"arXiv:(\d{4}\.\d{4,5})", link, part))


def plain(text: str) -> str:
    """Plain text as Markdown: signs that have a meaning there lose it."""
    return linked(outside_code(text, lambda part: re.sub(r"([*_<>\[\]$])", r"\\\1", part)))


def losses_of(config: ConfigDict) -> Iterator[tuple[str, Callable]]:
    """The functions of a config's losses and penalties, each with the key that names it."""
    loss = config.get("loss", "")
    name = loss.get("name", "") if isinstance(loss, ConfigDict) else loss
    if isinstance(loss, ConfigDict) and name in adversarial.LOSSES:
        chosen = adversarial.LOSSES[name]
        yield f"loss.name={name}, critic", chosen.critic
        yield f"loss.name={name}, generator", chosen.generator
    elif isinstance(name, str) and name in reconstruction.LOSSES:
        yield f"loss={name}", reconstruction.LOSSES[name]
    part = config.get("penalty", {})
    for key, function in penalty.PENALTIES.items():
        if isinstance(part, ConfigDict) and part.get(key):
            yield f"penalty.{key}={part[key]:g}", function
    if isinstance(part, ConfigDict) and (function := sparsity.PENALTIES.get(part.get("name"))):
        yield f"penalty.name={part.name}", function


def code_of(name: str) -> str:
    """The text of a config's file."""
    return (config_files.FOLDER / f"{name}.py").read_text("utf-8")


def table(headers: tuple[str, ...], rows: list[tuple]) -> str:
    """A table in Markdown."""
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


# -- pages


def page(name: str) -> str:
    """The page of a config in Markdown."""
    size = config_table.sizes()[name]
    config = config_files.load(name)
    task = tasks.build(config, size.shape)
    title, _, rest = config_table.description(name).partition("\n")
    parts = [f"# `{name}`", f"**{plain(title)}**", plain(rest.strip())]
    parts += [f"```bash\ngenjax train {name}\ngenjax train {name}:smoke   # a tiny version, in seconds\n```"]
    parts += _results(name)
    parts += ["## Facts", table(("", ""), list(_facts(name, size)))]
    if equations := [(f"`{key}`", plain(first_lines(function))) for key, function in losses_of(config)]:
        parts += ["## Losses", table(("Key", "Equation"), equations)]
    nets = nets_of(task)
    if nets:
        parts += ["## Nets", "Shapes are those of one example; counts are of trained numbers, modules inside included."]
    for net, calls in nets.items():
        parts += [f"### {net}: {size.parameters[net]:,} parameters"]
        if svg := drawing.chain(chain_of(calls, _input(net, config, size)), net):
            parts += [f'<div class="nets">{svg}</div>']
        rows = list(rows_of(calls))
        parts += [table(("Module", "Class", "Output", "Parameters"), rows)] if rows else []
    parts += ["## Phases", table(("Phase", "Steps", "Batch", "Examples"), list(_phases(task)))]
    default = tasks.default_config(config.task)
    rows = [(f"`{key}`", _code(now), _code(was)) for key, was, now in changes(default.to_dict(), config.to_dict())]
    parts += [f"## Keys that differ from the task's\n\nAll keys: `genjax train {name} --dry_run`."]
    parts += [table(("Key", "Here", f"Default of `{config.task}`"), rows)]
    parts += [f"## File\n\n```python\n{code_of(name)}```"]
    return "\n\n".join(filter(None, parts)) + "\n"


def _input(net: str, config: ConfigDict, size: config_table.Size) -> tuple[int, ...]:
    """The shape of a net's input, where a drawing begins; () where it is not clear from the config."""
    if net == "generator" and "latent" in config:
        return (int(config.latent),)
    return size.shape if net in ("critic", "autoencoder", "classifier", "vae", "vqvae") else ()


def _results(name: str) -> Iterator[str]:
    for row in config_table.results_of(name):
        words = [f"steps x batch: {config_table.run_of(row)}"]
        words += [f"time: {row.time}"] if row.time else []
        words += [f"{row.step} per step"] if row.step and row.seconds is not None else []
        words += [row.reached or "not evaluated"]
        of = f" of {row.of}" if row.of else ""
        yield f"**Measured**{of}: {'; '.join(words)}. [The numbers, with their protocol](../{row.page})."
        if row.command or row.keys or ":" in row.config:
            yield f"```bash\n{row.train}\n```"
        if row.image:
            yield f"![{name}: {row.reached or 'samples'}](../images/{row.image})"


def _facts(name: str, size: config_table.Size) -> Iterator[tuple[str, str]]:
    yield "Task", f"`{size.task}`"
    yield "Data", f"`{size.data}`: {size.examples:,} of {shape_text(size.shape)}"
    yield "Parameters", ", ".join(f"{net} {count:,}" for net, count in size.parameters.items())
    yield "Run", f"{size.steps:,} steps of batch {size.batch}"
    yield "Variants", ", ".join(f"`{name}:{variant}`" for variant in config_table.variants(name))
    sources = list(dict.fromkeys(re.findall(r"(?<!\d)(\d{4}\.\d{5}|1[0-9]{3}\.\d{4})(?!\d)", code_of(name))))
    if sources:
        yield "Papers", ", ".join(linked(f"arXiv:{source}") for source in sources)


def first_lines(function: Callable) -> str:
    """The first paragraph of a docstring, and its source, in one line."""
    text = re.sub(r"\s*\n\s*", " ", function.__doc__ or "")
    claim = re.split(r" (?:Shapes|Units|Source|Raises|Fields):", text)[0]
    source = re.search(r" Source: .*?(?= (?:Shapes|Units|Raises|Fields):|$)", text)
    return claim + (source[0] if source else "")


def _phases(task: Task) -> Iterator[tuple]:
    for scheduled in scheduled_phases(task):
        phase = scheduled.phase
        examples = phase.batch * phase.batches_per_step
        batch = f"{phase.batch}" + (f" x {phase.batches_per_step}" if phase.batches_per_step > 1 else "")
        yield phase.name, f"{scheduled.start:,} to {scheduled.stop:,}", batch, f"{phase.steps * examples:,}"


def _code(value: Any) -> str:
    return f"`{json.dumps(value)}`" if value != "absent" else ""


def index() -> str:
    """The page with all configs."""
    rows = []
    for name in config_files.names():
        size = config_table.sizes()[name]
        row = next(iter(config_table.results_of(name)), None)
        measured = (
            (config_table.run_of(row), row.time, row.reached) if row else (f"{size.steps:,} x {size.batch}", "", "")
        )
        rows.append((f"[`{name}`]({name}.md)", plain(config_table.claim(name)), f"{size.total:,}", *measured))
    head = "# Configs\n\nOne file per experiment. Times are those of training on two cores of a server CPU; a Fréchet "
    head += "distance is no FID ([metrics](../metrics.md)). `genjax configs` prints this table."
    toctree = "```{toctree}\n:hidden:\n\n" + "\n".join(config_files.names()) + "\n```"
    headers = ("Config", "Model", "Parameters", "Steps x batch", "Time", "Result")
    return f"{head}\n\n{table(headers, rows)}\n\n{toctree}\n"


def write(folder: Path) -> Iterator[Path]:
    """Write the pages of all configs, and their index; their paths. Pages stay while no code of theirs changes."""
    yield put(folder / "index.md", index())
    parts = (config_files.FOLDER, Path(__file__).parent, *(config_files.PACKAGE / name for name in CODE_OF_NETS))
    files = sorted(path for part in parts for path in part.rglob("*.*") if path.suffix in (".py", ".json", ".toml"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    stamp = folder / "digest.txt"
    new = not stamp.is_file() or stamp.read_text("utf-8") != digest
    for name in config_files.names():
        path = folder / f"{name}.md"
        yield put(path, page(name)) if new or not path.is_file() else path
    yield put(stamp, digest)
