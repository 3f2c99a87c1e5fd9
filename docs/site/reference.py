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
    "film_stylization": "films in the style of images",
    "optical_flow": "motion between frames",
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


SECTION = re.compile(r"^(Shapes|Units|Raises|Source|Fields|Paper|Args|Returns|Terms):\s*(.*)$")
ENTRY = re.compile(r"^(\w[\w., ]*): (.*)$")


def as_rst(lines: list[str]) -> list[str]:
    """The lines of a docstring, whose prose is plain text with `code` in it, as reStructuredText.

    Indented text after a blank line is code; "Fields:" and its like begin a paragraph, and their entries a list.

    >>> as_rst(["The mean of `x` * 2.", "", "Shapes: x [B] -> [B]."])
    ['The mean of ``x`` \\\\* 2.', '', '**Shapes:** x [B] -\\\\> [B].']
    """
    out: list[str] = []
    literal = False
    for line in lines:
        text, indented = line.strip(), line[:1] == " "
        if literal and (indented or not text):
            out.append(line)
            continue
        if literal:
            literal = False
            out += _gap(out)
        if indented and not (out and out[-1].strip()):
            literal = True
            out += ["::", "", line]
        elif text.startswith(">>>") or (out and out[-1].startswith(">>>") and text):
            out.append(line)
        elif match := SECTION.match(line):
            out += [*_gap(out), f"**{match[1]}:** {escaped(match[2])}".rstrip()]
        elif indented and (entry := ENTRY.match(text)) and len(line) - len(line.lstrip()) == 4:
            out += [*([] if out[-1].startswith("- ") else _gap(out)), f"- ``{entry[1]}``: {escaped(entry[2])}"]
        elif indented:
            out[-1] = f"{out[-1]} {escaped(text)}"
        else:
            out.append(escaped(text))
    return out


def _gap(out: list[str]) -> list[str]:
    return [""] if out and out[-1].strip() else []


def escaped(text: str) -> str:
    """Plain text with `code` as reStructuredText: signs that have a meaning there lose it.

    A colon has one within a word: FILE:COLUMN would be a link. That of an address, before a slash, keeps it.
    """
    parts = re.split(r"(`[^`]+`)", text)
    signs = r"([\\*|_`<>]|(?<=\w):(?=[^\s/]))"
    return "".join(f"``{p[1:-1]}``" if p[:1] == "`" and len(p) > 2 else re.sub(signs, r"\\\1", p) for p in parts)
