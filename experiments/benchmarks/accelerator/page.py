"""The page of a session: one HTML file, made from its results alone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from experiments.benchmarks.accelerator.anchors import STYLEGAN2
from genjax.report.page import framed
from genjax.text import bytes_text, duration, number

Row = Mapping[str, Any]
LABELS = {"bfloat16": "bfloat16", "default": "float32, default products", "float32": "float32, exact products"}


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
    """What was compared, what came out, and what may."""
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
    """StyleGAN2 beside NVIDIA's table, then all steps, beside PyTorch's."""
    return _beside_nvidia([row for row in rows if row["config"] in STYLEGAN2]) + _all_steps(rows)


def _beside_nvidia(rows) -> str:
    lines = []
    for row in rows:
        anchor = STYLEGAN2[row["config"]]
        theirs = [f"{n} ({n / row['seconds_per_kimg']:.2f})" for n in anchor.seconds_per_kimg.values()]
        ours = [number(row["seconds_per_kimg"]), number(row["step_ms"]), *_extent(row)]
        lines.append((_name(f"{anchor.name}, batch {row['batch']}, {LABELS[row['setting']]}"), *ours, *theirs))
    heads = ("setting", "s per 1000 images", "ms per step", "of the chip's rate", "memory", "NVIDIA, V100", "A100")
    note = (
        "Seconds per thousand images, R1 at every 16th step and path lengths at every 4th among them. NVIDIA's are of "
        "its own code on its own GPUs, of another generation, with float16 in the four largest sizes; in parentheses "
        "its time over this one's."
    )
    return (
        _section("StyleGAN2 beside NVIDIA's table", _table(heads, lines) + f'<p class="note">{note}</p>')
        if lines
        else ""
    )


def _all_steps(rows) -> str:
    best = {}
    for row in rows:
        if row["library"] == "PyTorch":
            key = (row["config"], row["batch"], row["setting"])
            best[key] = min(best.get(key, row), row, key=lambda r: r["step_ms"])
    own = {(_plain(row["config"]), row["batch"], row["setting"]): row for row in rows if row["library"] == "genjax"}
    lines = [_step(key, own.get(key), best.get(key)) for key in {**own, **best}]
    heads = (
        "step",
        "ms",
        "images/s",
        "of the chip's rate",
        "memory",
        "compiled in",
        "PyTorch, ms",
        "its time over ours",
    )
    note = (
        "Medians of calls of about a second; in the smallest steps the device waits for the host between kernels. Of "
        "PyTorch's variants the fastest is shown. Memory is the peak of the process, which smaller steps before it "
        "cannot exceed. The chip's rate is its maker's, for products in the same precision."
    )
    return _section("Steps", _table(heads, lines) + f'<p class="note">{note}</p>')


def _step(key, ours, theirs):
    config, batch, setting = key
    cells = [_name(f"{config}, batch {batch}, {LABELS[setting]}")]
    if ours:
        cells += [number(ours["step_ms"]), number(ours["images_per_second"]), *_extent(ours)]
        cells += [f"{ours['compile_seconds']:.0f} s"]
    else:
        cells += [""] * 5
    cells += [f"{number(theirs['step_ms'])} ({escape(theirs['variant'])})" if theirs else ""]
    return (*cells, f"{theirs['step_ms'] / ours['step_ms']:.2f}" if ours and theirs else "")


def _extent(row) -> tuple[str, str]:
    """The share of the chip's rate, and the memory: the device's peak, or the program's where it counts none."""
    share = row["share_of_chip"]
    program = row["program_bytes"]
    planned = sum(program[name] or 0 for name in ("argument", "temp", "output")) - (program["alias"] or 0)
    return f"{100 * share:.1f}%" if share else "", bytes_text(row["peak_bytes"] or planned)


def _plain(config: str) -> str:
    """The name of a config without its variant of tests."""
    return config.removesuffix(":smoke")


def features(rows: Sequence[Row], device: Row) -> str:
    """Images per second of the net of FID."""
    heads = ("images", "batch", "images/s", "first call")
    lines = [
        (
            _name(f"{row['images']:,} of {row['pixels']} pixels, {row['net']}"),
            str(row["batch"]),
            number(row["images_per_second"]),
            f"{row['first_call_seconds']:.0f} s",
        )
        for row in rows
    ]
    note = "From the host's memory to features there, in exact float32, with random weights, as the speed is the same."
    return _section("Features", _table(heads, lines) + f'<p class="note">{note}</p>')


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
    return _section("Kernels", _table(("kernel", "ms per step", "times", "of all", ""), lines))


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
    return _section("Parts", _table(("part", "how it went", "seconds", "estimated"), lines))


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


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table that scrolls by itself where it is too wide. Cells are HTML, whole ones where they begin with <th."""
    top = "".join(f"<th>{escape(head)}</th>" for head in heads)
    body = "".join(f"<tr>{''.join(_cells(line))}</tr>" for line in lines)
    return f'<div class="wide"><table class="plain"><thead><tr>{top}</tr></thead>{body}</table></div>'


def _cells(line: Sequence[str]) -> Iterator[str]:
    for cell in line:
        numeric = cell[:1].isdigit() and len(cell) < 12
        yield cell if cell.startswith("<th") else f'<td class="n">{cell}</td>' if numeric else f"<td>{cell}</td>"


SECTIONS: dict[str, Callable[[Sequence[Row], Row], str]] = {
    "checks": checks,
    "steps": steps,
    "features": features,
    "kernels": kernels,
    "facts": lambda rows, device: "",  # at the end of the page
}
"""The sections of the page in their order, by `Part.table`."""
