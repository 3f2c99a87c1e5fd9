"""The README.md of an exported run: a model card as the Hugging Face Hub reads it, made of facts that the run recorded.

Everything in it was recorded, measured or given by a flag; a fact that is not known is left out, and said to be missing
under "Limits" where a reader would look for it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genjax.report.results import protocol_lines
from genjax.run.records import terms_of_weights
from genjax.text import duration, listed, number

LICENSES = (
    *("apache-2.0", "mit", "openrail", "bigscience-openrail-m", "creativeml-openrail-m", "bigscience-bloom-rail-1.0"),
    *("bigcode-openrail-m", "afl-3.0", "artistic-2.0", "bsl-1.0", "bsd", "bsd-2-clause", "bsd-3-clause"),
    *("bsd-3-clause-clear", "c-uda", "cc", "cc0-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0"),
    *("cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nd-4.0"),
    *("cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0"),
    *("cdla-sharing-1.0", "cdla-permissive-1.0", "cdla-permissive-2.0", "wtfpl", "ecl-2.0", "epl-1.0", "epl-2.0"),
    *("etalab-2.0", "eupl-1.1", "agpl-3.0", "gfdl", "gpl", "gpl-2.0", "gpl-3.0", "lgpl", "lgpl-2.1", "lgpl-3.0"),
    *("isc", "lppl-1.3c", "ms-pl", "mpl-2.0", "odc-by", "odbl", "openrail++", "osl-3.0", "postgresql", "ofl-1.1"),
    *("ncsa", "unlicense", "zlib", "pddl", "lgpl-lr", "other"),
)
"""Identifiers of the Hub (https://huggingface.co/docs/hub/repositories-licenses); "other" needs a name."""

SMALL = 10_000
"""Training examples up to which a card calls them few."""


@dataclass(frozen=True)
class Facts:
    """The facts of a card."""

    name: str  # of the model
    info: Mapping[str, Any]  # the exported config.json
    about: str  # the task in a sentence
    steps: int  # that the config asks for, over all phases
    changes: Sequence[tuple[str, Any, Any]]  # keys that differ from the task's defaults, with both values
    outputs: Mapping[str, str]  # output -> its shapes in words
    contents: Mapping[str, str]  # net -> what of it is in the folder, in words
    license: str  # of the weights, of LICENSES
    license_name: str  # of the license "other"
    data_license: str
    rows: Sequence[Mapping[str, Any]]  # of metrics.jsonl, up to the exported step
    results: Sequence[Mapping[str, Any]]  # evaluations of the exported step
    programs: Mapping[str, tuple[str, str]]  # program -> its input and output in words
    example: str = "uint8"  # type of an example's numbers
    image: str = ""  # file name; "": none
    image_title: str = ""
    command: str = ""  # that exported the run
    models: Sequence[str] = ()  # outputs that are ONNX models

    @property
    def step(self) -> int:
        """The exported step."""
        return self.info["export"]["step"]


def card(facts: Facts) -> str:
    """The card in Markdown, with the Hub's metadata at its beginning."""
    sections = {
        "": about(facts),
        "Nets": nets(facts),
        "Data": data(facts),
        "Training": training(facts),
        "Numbers": numbers(facts),
        "How to load it": loading(facts),
        "Limits": (f"- {line}" for line in limits(facts)),
    }
    parts = [f"---\n{metadata(facts)}---\n\n# {facts.name}"]
    for title, lines in sections.items():
        text = "\n".join(lines)
        parts.append(f"## {title}\n\n{text}" if title else text)
    return "\n\n".join(parts) + "\n"


# -- metadata


def metadata(facts: Facts) -> str:
    """The metadata of the Hub, in YAML (texts as in JSON, which YAML reads)."""
    config = facts.info["config"]
    lines = ["library_name: genjax", f"license: {facts.license}"]
    if facts.license == "other":
        lines.append(f"license_name: {_quoted(facts.license_name)}")
    if kind := pipeline(facts):
        lines.append(f"pipeline_tag: {kind}")
    tags = dict.fromkeys(["genjax", "jax", "flax", config["task"], *_nets(config).values()])
    lines += ["tags:", *(f"- {_quoted(tag)}" for tag in tags)]
    metrics = dict.fromkeys(row["evaluation"] for row in facts.results)
    if metrics:
        lines += ["metrics:", *(f"- {_quoted(name)}" for name in metrics)]
        lines += _model_index(facts, kind or "other")
    return "\n".join(lines) + "\n"


def pipeline(facts: Facts) -> str:
    """The Hub's name of what the model does; "" if it has none."""
    if len(facts.info["data"]["shape"]) != 3:
        return ""
    kinds = {
        "sample": "unconditional-image-generation",
        "stylize": "image-to-image",
        "translate": "image-to-image",
        "to_b": "image-to-image",
        "classify": "image-classification",
        "encode": "image-feature-extraction",
    }
    return next((kind for output, kind in kinds.items() if output in facts.outputs), "")


def _model_index(facts: Facts, kind: str) -> Iterator[str]:
    """The results as the Hub lists them."""
    source = facts.info["data"]
    yield from ("model-index:", f"- name: {_quoted(facts.name)}", "  results:", "  - task:", f"      type: {kind}")
    yield from ("    dataset:", f"      name: {_quoted(source['name'])}", f"      type: {_quoted(source['name'])}")
    yield from (f"      split: {_quoted(source['split'])}", "    metrics:")
    for row in facts.results:
        for label, value in row["values"].items():
            yield from (f"    - type: {_quoted(row['evaluation'])}", f"      name: {_quoted(label)}")
            yield f"      value: {json.dumps(value)}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


# -- sections


def about(facts: Facts) -> Iterator[str]:
    """The task, an image of it, and what can be done with it."""
    yield f"Task `{facts.info['config']['task']}` of genjax, at step {facts.step:,}. {facts.about}."
    if terms := terms_of_weights(facts.info):
        yield f"\nIts first weights are those of others. Their license: {terms}"
    if facts.image:
        yield f"\n![{facts.image_title}]({facts.image})\n\n*{facts.image_title}.*"
    yield "\n" + _table(("Output", "Shapes"), ((f"`{name}`", shapes) for name, shapes in facts.outputs.items()))


def nets(facts: Facts) -> Iterator[str]:
    """The nets, their sizes and which of them are here."""
    config = facts.info["config"]
    kinds = _nets(config)
    rows = []
    for name, size in facts.info["parameters"].items():
        fields = (
            {key: value for key, value in (config.get(name) or {}).items() if key != "net"} if name in kinds else {}
        )
        how = ", ".join(f"{key} {_value(value)}" for key, value in fields.items())
        rows.append((name, kinds.get(name, ""), how, f"{size:,}", facts.contents.get(name, "left out")))
    yield _table(("Net", "Kind", "Fields", "Parameters", "In model.safetensors"), rows)
    yield "\nA tensor's name is its path in the state of training, such as `ema.generator.params.dense_0.kernel`."


def data(facts: Facts) -> Iterator[str]:
    """The examples that the run was trained on, and their license."""
    source = facts.info["data"]
    rows = [("Name", f"`{source['name']}`"), ("Split", f"`{source['split']}`"), ("License", facts.data_license)]
    if "size" in source:
        rows.append(("Examples", f"{source['size']:,}"))
    rows.append(("Shape of an example", " x ".join(map(str, source["shape"]))))
    if source.get("labels"):
        rows.append(("Labels", listed(source["labels"], 20)))
    if source.get("fingerprint"):
        rows.append(("Fingerprint", f"`{source['fingerprint']}`"))
    yield _table(("Data", ""), rows)
    yield from (f"\n{note}." for note in facts.info.get("notes", ()))


def training(facts: Facts) -> Iterator[str]:
    """The settings that differ from the task's, steps, time, device, seed and versions."""
    info = facts.info
    config = info["config"]
    rows = [("Steps", f"{facts.step:,} of {facts.steps:,}"), ("Batch", config["batch"]), ("Seed", config["seed"])]
    if first := _first_weights(config):
        rows.append(("First weights", f"of `{first}`"))
    if seconds := next((row["seconds"] for row in reversed(facts.rows) if "seconds" in row), None):
        rows.append(("Time", duration(seconds)))
    if device := info.get("device"):
        rows.append(("Device", f"{device['count']} x {device['kind']} ({device['platform']})"))
    if versions := info.get("versions"):
        rows.append(("Versions", ", ".join(f"{name} {version}" for name, version in versions.items())))
    if git := info.get("git"):
        rows.append(("Commit of genjax", f"`{git['commit']}`" + (", with changes" if git.get("dirty") else "")))
    if files := info.get("files"):
        rows.append(("Files that it read", ", ".join(f"{name} (SHA-256 {digest})" for name, digest in files.items())))
    yield _table(("Training", ""), rows)
    if facts.changes:
        yield "\nKeys of its config that differ from the defaults of the task; `config.json` has all of them:\n"
        cells = ((f"`{key}`", _value(was), _value(now)) for key, was, now in facts.changes)
        yield _table(("Key", "Default", "Here"), cells)
    if commands := [command for command in (info.get("command"), facts.command) if command]:
        yield (
            "\nThe commands that made it, without folders of the machine:\n\n```bash\n" + "\n".join(commands) + "\n```"
        )


def numbers(facts: Facts) -> Iterator[str]:
    """The results of evaluations of this step, each with its protocol."""
    if not facts.results:
        yield "None: the run has no evaluation of this step."
        return
    rows = []
    for row in facts.results:
        for label, value in row["values"].items():
            deviation = row.get("std", {}).get(label)
            cell = number(value) + ("" if deviation is None else f" (deviation {number(deviation)})")
            rows.append((label, cell, row.get("better", {}).get(label, ""), f"`{row['evaluation']}`"))
    yield _table(("Number", "Value", "Better", "Metric of genjax"), rows)
    lines = protocol_lines((row["evaluation"], row["protocol"]) for row in facts.results)
    yield "\nProtocol, on which these numbers depend:\n\n```text\n" + "\n".join(lines) + "\n```"


def loading(facts: Facts) -> Iterator[str]:
    """Code that loads the folder, with genjax and without it."""
    yield "With genjax (distribution `genjax-models`), DIR being this folder:\n"
    yield "```python\nimport genjax\nimport numpy as np\n"
    yield 'run = genjax.load("DIR")'
    if "sample" in facts.outputs:
        yield "images = run.sample(range(16))"
    if uses := [pair for pair in (("encode", "latents"), ("reconstruct", "y")) if pair[0] in facts.outputs]:
        shape = facts.info["data"]["shape"]
        yield f'x = np.zeros(({", ".join(map(str, [16, *shape]))}), "{facts.example}")  # your examples'
        yield from (f"{variable} = run.{name}(x)" for name, variable in uses)
    yield "```"
    yield from _without_genjax(facts)
    if facts.models:
        files = listed([f"`onnx/{name}.onnx`" for name in facts.models], 9)
        yield f"\nIn ONNX, for batches of any size, with the weights in them: {files}."


def _without_genjax(facts: Facts) -> Iterator[str]:
    """Code that runs a program with JAX alone, and a table of the programs."""
    if not facts.programs:
        return
    name, (takes, gives) = next(iter(facts.programs.items()))
    kind, _, sizes = takes.rstrip("]").partition("[")
    x = "np.arange(16, dtype=np.int32)" if name == "sample" else f'np.zeros(({sizes.replace("n", "16", 1)}), "{kind}")'
    yield "\nWithout genjax, as StableHLO, on CPUs, NVIDIA's GPUs and TPUs (`pip install jax flatbuffers safetensors`):"
    yield "\n```python\nimport numpy as np\nfrom jax import export\nfrom safetensors.numpy import load_file\n"
    yield 'weights = load_file("DIR/model.safetensors")'
    yield f'with open("DIR/stablehlo/{name}.bin", "rb") as file:'
    yield "    program = export.deserialize(bytearray(file.read()))"
    yield f"x = {x}  # {takes}\ny = program.call(weights, x)  # {gives}\n```\n"
    yield _table(
        ("Program", "Input", "Output"),
        ((f"`stablehlo/{name}.bin`", f"`{takes}`", f"`{gives}`") for name, (takes, gives) in facts.programs.items()),
    )


def limits(facts: Facts) -> Iterator[str]:
    """True sentences on what the model is not, from what was recorded."""
    info = facts.info
    config = info["config"]
    size = info["data"].get("size")
    if size and size <= SMALL:
        yield f"Trained on few examples, {size:,}: outputs may resemble them."
    shape = info["data"]["shape"]
    if len(shape) == 3:
        color = {1: "in gray", 3: "in color"}.get(shape[2], f"of {shape[2]} channels")
        yield f"Its images have {shape[0]} x {shape[1]} pixels, {color}: no other size was trained."
    if facts.step < facts.steps:
        yield f"Training ended, or was exported, before the {facts.steps:,} steps of its config were done."
    if first := _first_weights(config):
        yield f"Its first weights are of `{first}`: their data and license are not described here."
    yield f"One run, with seed {config['seed']}: how much another seed changes is not known from it."
    if not facts.results:
        yield "Not evaluated: no number of its quality is known."
    else:
        yield "Nothing but the numbers above was measured."
        labels = [label for row in facts.results for label in row["values"]]
        if any("Fréchet" in label for label in labels) and "FID" not in labels:
            yield "Its Fréchet distance is on features of another net than FID's: it is no FID."
        notes = {f"{label}: {note}." for row in facts.results for label, note in row.get("notes", {}).items()}
        yield from sorted(notes)
    if config.get("eval", {}).get("best") and info["export"].get("best"):
        yield f"The step was chosen by eval.best={config['eval']['best']}, so this number favors it."
    warned = [line for row in facts.rows for line in row.get("warnings", ())]
    yield from dict.fromkeys(f"While it was trained: {line.removeprefix('warning: ')}." for line in warned)
    if info["export"]["weights"] != "all":
        absent = [f"the {name}" for name in info["parameters"] if name not in facts.contents]
        yield f"Training cannot go on from this folder: it lacks {listed([*absent, 'the state of the optimizers'], 9)}."
    if extensions := info.get("extensions"):
        yield f"It needs code besides genjax: {listed(sorted(extensions), 9)}."


def _first_weights(config: Mapping[str, Any]) -> str:
    """The origin of the weights of step 0; "" if they were random."""
    return (config.get("init") or {}).get("weights", "")


def _nets(config: Mapping[str, Any]) -> dict[str, str]:
    """The sections of a config that name a net, with its name."""
    return {key: part["net"] for key, part in config.items() if isinstance(part, Mapping) and "net" in part}


def _value(value: Any) -> str:
    if value == "absent":  # in the defaults of the task: a field of a net
        return "the net's own"
    return "()" if value == [] else ", ".join(map(_value, value)) if isinstance(value, list | tuple) else str(value)


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
