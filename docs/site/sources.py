"""The sources of the site: copies of the Markdown pages, in which links to files of the repository lead to pages."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]

SECTIONS = {
    "Tutorials": [
        *("tutorials/autoencoders", "tutorials/vae", "tutorials/gans", "tutorials/your_data", "tutorials/your_loss"),
        *("tutorials/stylegan", "tutorials/translation", "tutorials/style", "tutorials/devices"),
        *("from_pytorch", "from_keras"),
    ],
    "Models": [
        *("configs/index", "autoencoders", "gans", "gans_experiments", "ablations", "high_resolution", "translation"),
        *("style", "series", "published_settings", "parity"),
    ],
    "Work": [
        *("data", "metrics", "rating", "robustness", "augmentation", "explore", "experiments", "fine_tuning"),
        *("weights", "export", "extending", "library"),
    ],
    "Machines": ["performance", "distributed", "scaling", "operators"],
    "Reference": ["reference/index", "glossary", "architecture", "changelog", "site/README", "citing"],
}
"""The navigation: pages below docs/ without their ending, and those that are made."""

PAGES = {"README.md": "index.md", "CHANGELOG.md": "changelog.md"}
"""Pages of the repository that are not below docs/, and their places on the site."""

LANGUAGES = {".py": "python", ".sh": "bash", ".sbatch": "bash", ".yaml": "yaml", ".toml": "toml", ".cff": "yaml"}
LANGUAGES |= {"": "docker", ".json": "json"}
"""Languages of source files by the ending of their names."""

LINK = re.compile(r"(?<=\]\()([^)\s#:]+)(#[^)\s]*)?(?=\))")
"""A relative link of Markdown: its path, and its anchor."""

CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.DOTALL | re.MULTILINE)
"""Code in Markdown, in which nothing is a link."""


def place(path: PurePosixPath) -> PurePosixPath:
    """The place on the site of a file or folder of the repository."""
    if str(path) in PAGES:
        return PurePosixPath(PAGES[str(path)])
    if path.parts[:1] == ("docs",) and path.suffix in (".md", ".png", ".gif", ".jpg", ".mp4"):
        return path.relative_to("docs")
    if path.parts[:1] == ("configs",) and path.suffix in (".py", "") and len(path.parts) <= 2:
        return PurePosixPath("configs", f"{path.stem if path.suffix else 'index'}.md")
    return PurePosixPath("source", f"{path}.md")


def with_links(text: str, page: PurePosixPath, note: Callable[[PurePosixPath], None]) -> str:
    """Markdown of a page of the repository with its links as they are on the site; `note` gets each linked file.

    Raises: FileNotFoundError for a link to a file that the repository does not have.
    """

    def rewrite(match: re.Match) -> str:
        target = PurePosixPath(os.path.normpath(page.parent / match[1]))
        if not (ROOT / target).exists():
            raise FileNotFoundError(f"{page} links to {match[1]}: there is no {target}")
        note(target)
        return f"{relative(place(target), place(page))}{match[2] or ''}"

    return outside_code(text, lambda part: LINK.sub(rewrite, part))


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """Markdown with a change made to all that is no code."""
    parts, end = [], 0
    for match in CODE.finditer(text):
        parts += [change(text[end : match.start()]), match[0]]
        end = match.end()
    # A link's text may have code in it, so that the part behind it begins with the rest of the link.
    return "".join([*parts, change(text[end:])])


def relative(target: PurePosixPath, page: PurePosixPath) -> str:
    """The path from a page to another file of the site."""
    return os.path.relpath(target, page.parent).replace(os.sep, "/")


def side_by_side(text: str) -> str:
    """Markdown whose parts between <!-- side by side --> and <!-- end --> are columns, where there is room."""
    pattern = re.compile(r"<!-- side by side -->\n(.*?)<!-- end -->", re.DOTALL)
    return pattern.sub(lambda match: f":::::{{container}} side-by-side\n{match[1]}:::::", text)


def source_page(path: PurePosixPath) -> str:
    """A page with the text of a file, or with the files of a folder."""
    full = ROOT / path
    if full.is_dir():
        names = sorted(entry.name for entry in full.iterdir() if entry.name[0] not in "._")
        return f"# `{path}/`\n\n" + "".join(f"- `{name}`\n" for name in names)
    text = full.read_text("utf-8")
    fence = "`" * (1 + max([2, *(len(ticks) for ticks in re.findall("`{3,}", text))]))
    return f"# `{path}`\n\n{fence}{LANGUAGES.get(path.suffix, 'text')}\n{text}\n{fence}\n"


def contents() -> str:
    """The navigation, as it is written at the end of the first page."""
    blocks = [
        f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n" + "\n".join(pages) + "\n```"
        for caption, pages in SECTIONS.items()
    ]
    return "\n\n".join(blocks)


def originals() -> Iterator[PurePosixPath]:
    """The Markdown pages of the repository that are pages of the site."""
    yield from map(PurePosixPath, PAGES)
    for path in sorted((ROOT / "docs").rglob("*.md")):
        yield PurePosixPath(path.relative_to(ROOT))


def write(folder: Path) -> Iterator[Path]:
    """Write the sources of all pages but those of configs and of the reference; their paths.

    Raises: FileNotFoundError for a link that leads nowhere.
    """
    linked: set[PurePosixPath] = set()
    pages = list(originals())
    for page in pages:
        text = side_by_side(with_links((ROOT / page).read_text("utf-8"), page, linked.add))
        if page == PurePosixPath("README.md"):
            text = f"{text}\n\n{contents()}\n"
        if page.parent.name == "tutorials":
            notebook = PurePosixPath(page).with_suffix(".ipynb")
            yield put(folder / notebook.relative_to("docs"), as_notebook(page))
            title, _, rest = text.partition("\n")
            text = f"{title}\n\n[As a notebook]({notebook.name})\n{rest}"
        yield put(folder / place(page), text)
    for path in sorted(linked - set(pages)):
        if place(path).parts[0] == "source":
            text = source_page(path)
            if path.suffix == ".md":  # a README of a folder
                text = outside_code((ROOT / path).read_text("utf-8"), lambda part: re.sub(r"\]\([^:)]*\)", "]()", part))
            yield put(folder / place(path), f"---\norphan: true\n---\n\n{text}")
    images = ROOT / "docs" / "images"
    shutil.copytree(images, folder / "images", dirs_exist_ok=True)
    yield from (folder / "images" / path.relative_to(images) for path in images.rglob("*"))


def as_notebook(page: PurePosixPath) -> str:
    """A tutorial as a Jupyter notebook."""
    import jupytext

    notebook = jupytext.reads((ROOT / page).read_text("utf-8"), fmt="md")
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"  # which is random otherwise
    return jupytext.writes(notebook, fmt="ipynb")


def put(path: Path, text: str) -> Path:
    """Write a file unless it has this text, so that Sphinx reads again what changed alone; its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_text("utf-8") != text:
        path.write_text(text, "utf-8")
    return path
