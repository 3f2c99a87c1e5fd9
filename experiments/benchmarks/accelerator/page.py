"""The page of a session: one HTML file, made from its results alone."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from experiments.benchmarks.accelerator.anchors import STYLEGAN2
from genjax.report.page import framed
from genjax.text import bytes_text, duration, number

Row = Mapping[str, Any]
DEFAULT = {"gpu": "TF32", "tpu": "float32 in one pass of bfloat16", "cpu": "float32 by default"}
"""The products of float32 that XLA computes by default, by platform."""


def write(results: Mapping[str, Any]) -> bytes:
    """The page as HTML."""
    parts = results["parts"]
    rows = {table: [] for table in SECTIONS}
    for part in parts.values():
        rows[part["table"]] += part["rows"]
    device = (rows["facts"] or [{}])[0]
    kind = device.get("kind", "an unknown device")
    body = [
        f"<header><h1>genjax on {escape(kind)}</h1><p>{_sentence(results, device)}</p></header>",
        _merit(rows),
        *[section(rows[table], device) for table, section in SECTIONS.items() if rows[table]],
        _parts(parts),
        _facts(results, device),
    ]
    style = (Path(__file__).parent / "page.css").read_text("utf-8")
    return framed(f"genjax on {kind}", "\n".join(filter(None, body)), style)


def _sentence(results, device) -> str:
    versions = device.get("versions", {})
    seconds = sum(part["seconds"] for part in results["parts"].values())
    text = f"{duration(seconds)} of a budget of {duration(results['budget_seconds'])} minutes, {results['began'][:10]}"
    text += f", JAX {escape(versions['jax'])}" if "jax" in versions else ""
    if results["smoke"]:
        text += ". <b>A trial with tiny nets: the times mean nothing</b>"
    if device.get("platform") == "cpu":
        text += ". <b>This device is a CPU</b>, so nothing here was measured on an accelerator"
    return text + "."


def _merit(rows) -> str:
    """A row of the most important numbers."""
    checks = [row for row in rows["checks"] if row["passed"] is not None]
    cards = [("checks passed", f"{sum(row['passed'] for row in checks)} of {len(checks)}", "")] if checks else []
    for config, anchor in STYLEGAN2.items():
        ours = [row for row in rows["steps"] if row["config"] == config]
        if ours:
            best = min(ours, key=lambda row: row["step_ms"])
            note = f"{best['setting']}; A100 {anchor.seconds_per_kimg['A100']}, NVIDIA's code"
            cards.append((f"s per 1000 images, {anchor.name}", number(best["seconds_per_kimg"]), note))
    if rows["features"]:
        best = max(rows["features"], key=lambda row: row["images_per_second"])
        cards.append(("features, images/s", number(best["images_per_second"]), f"{best['pixels']} pixels"))
    cells = "".join(
        f"<div><dt>{escape(a)}</dt><dd>{escape(b)}</dd><small>{escape(c)}</small></div>" for a, b, c in cards
    )
    return f'<dl class="merit">{cells}</dl>' if cells else ""


def checks(rows: Sequence[Row], device: Row) -> str:
    """The comparisons, their results, and what is tolerated."""
    verdicts = {
        True: '<span class="pass">passed</span>',
        False: '<span class="miss">not passed</span>',
        None: "no claim",
    }
    lines = [
        (_name(row["check"]), escape(row["measured"]), escape(_tolerance(row)), verdicts[row["passed"]]) for row in rows
    ]
    return _section("Correctness", _table(("check", "measured", "at most", ""), lines))


def _tolerance(row) -> str:
    return {0.0: "equal bits", None: ""}.get(row["tolerance"], str(row["tolerance"]))


def steps(rows: Sequence[Row], device: Row) -> str:
    """StyleGAN2 beside NVIDIA's table, then the other steps beside PyTorch's."""
    published = [row for row in rows if row["config"] in STYLEGAN2]
    others = [row for row in rows if row["config"] not in STYLEGAN2]
    labels = {"default": DEFAULT.get(device.get("platform", ""), "default")}
    return _beside_nvidia(published, labels) + _beside_torch(others, labels)


def _beside_nvidia(rows, labels) -> str:
    lines = []
    for row in sorted(rows, key=lambda row: list(STYLEGAN2).index(row["config"])):
        anchor = STYLEGAN2[row["config"]]
        setting = f"{anchor.name}, batch {row['batch']}, {labels.get(row['setting'], row['setting'])}"
        theirs = [
            f"{seconds} <small>{seconds / row['seconds_per_kimg']:.2f} ×</small>"
            for seconds in anchor.seconds_per_kimg.values()
        ]
        ours = [number(row["seconds_per_kimg"]), number(row["step_ms"]), *_extent(row)]
        lines.append((_name(setting), *ours, *theirs))
    heads = ("setting", ">s per 1000 images", ">ms per step", *EXTENT, ">NVIDIA, V100", ">NVIDIA, A100")
    note = (
        "Seconds per thousand images, with R1 at every 16th step and path lengths at every 4th. NVIDIA's are of its "
        "own code on the GPU of the column, with float16 in the four largest sizes; × is its time over this one."
    )
    return _section("StyleGAN2 beside NVIDIA's table", _table(heads, lines, note)) if lines else ""


def _beside_torch(rows, labels) -> str:
    ours, theirs = {}, {}
    for row in rows:
        key = (row["config"], row["batch"], row["setting"])
        if row["library"] == "PyTorch":
            theirs[key] = min(theirs.get(key, row), row, key=lambda row: row["step_ms"])
        else:
            ours[(_plain(row["config"]), *key[1:])] = row
    lines = []
    for key in sorted({**ours, **theirs}, key=lambda key: key[:2]):
        config, batch, setting = key
        name = _name(f"{config}, batch {batch}, {labels.get(setting, setting)}")
        lines.append((name, *_own(ours.get(key)), *_peer(ours.get(key), theirs.get(key))))
    heads = ("step", ">ms", ">images/s", *EXTENT, ">PyTorch, ms", ">over ours")
    note = (
        "Medians over calls of many steps. Of PyTorch's variants the fastest is shown. Memory is the peak of the "
        "process so far, the smallest batches first. The chip's rate is its maker's, of products of the same precision."
    )
    return _section("Steps", _table(heads, lines, note)) if lines else ""


def _own(row) -> Sequence[str]:
    return (number(row["step_ms"]), number(row["images_per_second"]), *_extent(row)) if row else [""] * 5


def _peer(ours, theirs) -> tuple[str, str]:
    if not theirs:
        return "", ""
    variant = theirs["variant"].replace("_", " ")
    ratio = f"{theirs['step_ms'] / ours['step_ms']:.2f}" if ours else ""
    return f"<small>{escape(variant)}</small> {number(theirs['step_ms'])}", ratio


EXTENT = (">of the chip's rate", ">memory: peak, program", ">compiled in")


def _extent(row) -> tuple[str, str, str]:
    """The share of the chip's rate, the peak of the device's memory and the program's own, seconds of compilation."""
    share, program = row["share_of_chip"], row["program_bytes"]
    planned = sum(program[name] or 0 for name in ("argument", "temp", "output")) - (program["alias"] or 0)
    memory = ", ".join(bytes_text(n) for n in (row["peak_bytes"], planned) if n)
    return f"{100 * share:.1f}%" if share else "", memory, f"{row['compile_seconds']:.0f} s"


def _plain(config: str) -> str:
    """The name of a config without its variant of tests."""
    return config.removesuffix(":smoke")


def features(rows: Sequence[Row], device: Row) -> str:
    """Images per second of the net of FID."""
    lines = [
        (
            _name(f"{row['net']}, {row['images']:,} images of {row['pixels']} pixels"),
            str(row["batch"]),
            number(row["images_per_second"]),
            f"{row['first_call_seconds']:.0f} s",
        )
        for row in rows
    ]
    note = "From the host's memory to features there, in exact float32, with random weights: the speed is the same."
    return _section("Features", _table(("net", ">batch", ">images/s", ">first call"), lines, note))


def kernels(rows: Sequence[Row], device: Row) -> str:
    """The longest kernels, with bars."""
    most = max(row["share"] for row in rows)
    lines = [
        (
            f'<th class="kernel">{escape(row["kernel"][:160])}</th>',
            f"{row['ms_per_step']:.3g}",
            f"{row['times_per_step']:.3g}",
            f"{100 * row['share']:.1f}%",
            f'<span class="bars"><span class="bar" style="width:{100 * row["share"] / most:.0f}%"></span></span>',
        )
        for row in rows
    ]
    return _section("Kernels", _table(("kernel", ">ms per step", ">times", ">of all", ""), lines))


def _parts(parts) -> str:
    lines = [
        (
            f'<th class="c">{escape(name)}<br><small>{escape(part["says"])}</small></th>',
            escape(part["status"] + (f": {part['reason']}" if part["reason"] else "")),
            f"{part['seconds']:.0f}" if part["seconds"] else "",
            f"{part['estimate_seconds']:.0f}",
        )
        for name, part in parts.items()
    ]
    return _section("Parts", _table(("part", "result", ">seconds", ">estimated"), lines))


def _facts(results, device) -> str:
    git = results["git"] or {}
    facts = {"command": results["command"], "began": results["began"]}
    if git:
        facts["commit"] = git["commit"] + (" with uncommitted changes" if git["dirty"] else "")
    shown = {key: value for key, value in device.items() if key not in ("versions", "machine", "jax_variables")}
    shown["memory_limit"] = bytes_text(device["memory_limit"]) if device.get("memory_limit") else None
    shown["published"] = ", ".join(f"{k} {v / 1e12:,.4g} TFLOP/s" for k, v in (device.get("published") or {}).items())
    facts |= shown | device.get("machine", {}) | device.get("jax_variables", {}) | device.get("versions", {})
    pairs = (
        f"<tr><th>{escape(str(key).replace('_', ' '))}</th><td>{escape(str(value))}</td></tr>"
        for key, value in facts.items()
        if value not in (None, "", {})
    )
    return _section("Device and software", f'<table class="facts">{"".join(pairs)}</table>')


def _section(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>{content}</section>"


def _name(text: str) -> str:
    return f'<th class="c">{escape(text)}</th>'


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]], note: str = "") -> str:
    """A table that scrolls by itself where it is too wide, over a note.

    Columns whose head begins with ">" are aligned to the right. Cells are HTML, whole ones where they begin with <th.
    """
    right = [head.startswith(">") for head in heads]
    style = {True: ' class="n"', False: ""}
    top = "".join(f"<th{style[n]}>{escape(head.removeprefix('>'))}</th>" for head, n in zip(heads, right, strict=True))
    rows = (
        "".join(
            cell if cell.startswith("<th") else f"<td{style[n]}>{cell}</td>"
            for cell, n in zip(line, right, strict=True)
        )
        for line in lines
    )
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    table = f'<div class="wide"><table class="plain"><thead><tr>{top}</tr></thead>{body}</table></div>'
    return table + (f'<p class="note">{escape(note)}</p>' if note else "")


SECTIONS: dict[str, Callable[[Sequence[Row], Row], str]] = {
    "checks": checks,
    "steps": steps,
    "features": features,
    "kernels": kernels,
    "facts": lambda rows, device: "",  # at the end of the page
}
"""The sections of the page in their order, by `Part.table`."""
