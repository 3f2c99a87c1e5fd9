"""The reference of the library: a page per folder of public modules, and docstrings as Sphinx reads them."""

import re
from collections.abc import Iterator
from pathlib import Path

from docs.site.sources import ROOT, put

FOLDERS = {
    "api": "genjax as a library: what `import genjax` offers",
    "config_files": "configs by name",
    "losses": "losses, one equation each",
    "nets": "Flax Linen modules",
    "ops": "arithmetic without parameters",
    "tasks": "what is trained: nets, losses, steps",
    "engine": "how anything is trained: state, phases, the loop",
    "run": "a run and its folder",
    "data": "sources of examples",
    "metrics": "arrays in, numbers out",
    "evaluation": "which metrics of which inputs, with which protocol",
    "weights": "trained weights from files",
    "visualize": "the views of `genjax show`",
    "projection": "latents of given images",
    "stylization": "images in the style of others",
    "translation": "images of images",
    "conversion": "others' weights as a run",
    "interpolation": "between latents",
    "errors": "the exception for bad input",
}
"""Folders and modules below genjax/ with their contents in a few words."""


def modules(name: str) -> list[str]:
    """The public modules of a folder, or the module of that name, with dots."""
    path = ROOT / "genjax" / name
    if not path.is_dir():
        return [f"genjax.{name}"]
    paths = [p for p in path.rglob("*.py") if not any(part.startswith("_") for part in p.relative_to(path).parts)]
    return [".".join(p.relative_to(ROOT).with_suffix("").parts) for p in sorted(paths)]


def write(folder: Path) -> Iterator[Path]:
    """Write a page per entry of `FOLDERS`, and the list of them; their paths."""
    rows = [f"| [`genjax.{name}`]({name}.md) | {text} |" for name, text in FOLDERS.items()]
    toctree = "```{toctree}\n:hidden:\n\n" + "\n".join(FOLDERS) + "\n```"
    head = (
        "# Reference\n\nPublic modules, from their docstrings. Shapes are in brackets, B or N the number of examples."
    )
    yield put(
        folder / "index.md", f"{head}\n\n| Module | Contents |\n|---|---|\n" + "\n".join([*rows, "", toctree, ""])
    )
    for name, text in FOLDERS.items():
        own = modules(name)
        parts = [f"# `genjax.{name}`\n\n{text[0].upper()}{text[1:]}."]
        for module in own:
            title = f"## `{module}`\n\n" if len(own) > 1 else ""
            parts.append(f"{title}```{{eval-rst}}\n.. automodule:: {module}\n   :members:\n```")
        yield put(folder / f"{name}.md", "\n\n".join(parts) + "\n")


SECTION = re.compile(r"^(\s*)(Shapes|Units|Raises|Source|Fields|Paper|Args|Returns):(\s*)(.*)$")


def as_rst(lines: list[str]) -> list[str]:
    """The lines of a docstring, whose prose is plain text with `code` in it, as reStructuredText.

    >>> as_rst(["The mean of `x` * 2.", "", "Shapes: x [B] -> [B]."])
    ['The mean of ``x`` \\\\* 2.', '', '**Shapes:** x [B] -\\\\> [B].']
    """
    out: list[str] = []
    section = ""  # the indent of a "Fields:" whose entries follow
    for line in lines:
        match = SECTION.match(line)
        if ">>>" in line or (out and out[-1].lstrip().startswith(">>>") and line.strip()):
            out.append(line)
            continue
        indent = line[: len(line) - len(line.lstrip())]
        text = escaped(line.strip())
        if match and not match[4]:
            out += [*_gap(out), f"{match[1]}**{match[2]}:**", ""]
            section = match[1]
            continue
        if match:
            out += [*_gap(out), f"{match[1]}**{match[2]}:** {escaped(match[4])}"]
            section = ""
            continue
        if section is not None and text and len(indent) == len(section) + 4 and re.match(r"\w[\w., ]*: ", line.strip()):
            name, _, rest = line.strip().partition(": ")
            out.append(f"{section}- ``{name}``: {escaped(rest)}")
            continue
        if out and out[-1].lstrip().startswith("- ") and text and not text.startswith("- ") and len(indent) > 0:
            base = out[-1][: len(out[-1]) - len(out[-1].lstrip())]
            out[-1] = f"{base}{out[-1].lstrip()} {text}"
            continue
        out.append(indent + text)
    return out


def _gap(out: list[str]) -> list[str]:
    return [""] if out and out[-1].strip() else []


def escaped(text: str) -> str:
    """Plain text with `code` as reStructuredText: signs that have a meaning there lose it."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(
        f"``{p[1:-1]}``" if p[:1] == "`" and len(p) > 2 else re.sub(r"([\\*|_`<>])", r"\\\1", p) for p in parts
    )
