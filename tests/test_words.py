"""The words of the code and of the docs: plain English, the field's terms, one spelling.

`python tests/test_words.py` prints every hit as file:line, the words, and what to write instead; it takes paths, too.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
EVERYTHING = ("genjax", "experiments", "configs", "docs", "README.md", "CHANGELOG.md")
COLUMNS = 120
LINES = 90

PER = (
    r"side|example|class|second|image|channel|pixel|layer|device|process|sample|element|position|vector|epoch|stage|block"
    r"|phase"
)
COUNT = r"one|two|three|four|five|ten|\d[\d,.]*\d|\d|numbers?|weights?|values?|logits?|pixels|images|steps|bytes|bits"
NET = r"(?:critic|discriminator|generator|encoder|decoder|net|network|classifier|autoencoder)s?"

TEXT = [
    (
        rf"\b(?:{COUNT}) (?!(?:from|of|is|in|to|are|and|for|by|as|along|with|at) )(?:[a-z]+ )?an? (?:{PER})\b",
        "say 'per': 'one weight per example', 'images per second', 'N x N pixels'",
    ),
    (
        r"\ban? (?:equation|line|row|file|command|column|dot) an? (?:class|loss|run|metric|config)\b",
        "'per'",
    ),
    (
        rf"\b{NET} (?:sees?|judges?|notices?|tells?|looks?|knows?|names?|is told|are told)\b",
        "input, output, loss, logits",
    ),
    (r"\b(?:sees?|judges?|notices?|tells?|looks?) (?:the|a) (?:critic|net|generator)\b", "input, output, loss, logits"),
    (r"\bso many\b", "name the number: 'n steps', 'this many'"),
    (r"\bso much of\b", "name the amount"),
    (r"\banew\b", "'again'"),
    (r"\bbut for\b", "'except'"),
    (r"\btold\b", "'given', 'reported', 'logged'"),
    (r"\bforetold\b", "'predicted'"),
    (r"\b(?:is|are|was|were|be) had\b", "'computed', 'measured', 'obtained'"),
    (r"\bas it (?:is|was)(?=[.;,:)]|$)", "'unchanged'"),
    (r"\bthere (?:is|are) '", "'choose from'"),
    (r"\bthere (?:is|are) \{", "'choose from'"),
    (r"\blaws?\b", "'distribution'"),
    (r"\bcodings?\b", "'latent', 'code', 'embedding'"),
    (r"\bpictures?\b", "'image'"),
    (r"\bFrechet\b", "'Fréchet'"),
    (r"\b(?:gr|Gr)ey(?:s|scale)?\b", "'gray'"),
    (r"\b[Cc]olour\w*", "'color'"),
    (r"\b[Cc]entre[sd]?\b", "'center'"),
    (r"\b[Nn]eighbour\w*", "'neighbor'"),
    (r"\b[Bb]ehaviour\w*", "'behavior'"),
    (r"\b[Ll]icence\w*", "'license'"),
    (r"\b[Ll]abell\w+", "'labeled', 'labeling'"),
    (r"\b[Mm]odell\w+", "'modeled', 'modeling'"),
    (
        r"\b(?:[Oo]ptim|[Nn]ormal|[Ss]ynthes|[Ii]nitial|[Qq]uant|[Rr]egular|[Ss]tyl|[Ee]qual|[Mm]inim|[Mm]axim|[Gg]eneral"
        r"|[Vv]ectori?|[Ss]erial|[Ss]ummar|[Rr]ecogn|[Vv]isual|[Mm]aterial|[Pp]arametr|[Pp]arameter|[Oo]rgan|[Rr]andom"
        r"|[Mm]emor|[Pp]enal|[Ss]pecial|[Uu]til|[Ss]tandard|[Pp]arallel)is(?:e[sdr]?|ers|ing|ations?|able)\b",
        "-ize, as American English has it",
    ),
    (r"\bwho(?:ever)? (?:reads?|looks?) (?:it|at)\b", "'the reader'"),
    (r"\blook(?:s|ed)? (?:it|them) at\b", "'features'"),
    (r"\bBeside (?:it|them)\b", "'with'"),
    (r"\bby heart\b", "'memorizes'"),
    (r"\bnor (?:on|in|of) how\b", "a plain sentence"),
    (r"\bof late\b", "'recent'"),
    (r"(?<!thing)(?<!body)(?<!one)(?<!where)(?<!or)(?<!if) else(?=[.;,)]|$)", "'otherwise'"),
    (r"; else\b", "'otherwise'"),
    (r"\b(?:is|are) (?:said|whole)(?=[.,;:)]| on )", "'reported', 'stated'; 'complete', 'replicated'"),
    (r"\bnoqa: E731", "'def'"),
    (r"\b[Mm]isspelt\b", "'misspelled'"),
    (r"\b(?:anybody|somebody else)'s\b", "'another package's', 'any images'"),
    (r"\bmend(?:s|ed|ing)?\b", "'fix'"),
]
"""Patterns of prose: docstrings, comments, messages and Markdown, with the plain words in their place."""
ANY = re.compile("|".join(pattern for pattern, _ in TEXT))

OPENINGS = [
    (r"What\b", "begin with the noun: not 'What a call leaves.' but 'The result of a call.'"),
    (
        r"(?:Of|Beside|Behind|Whose|Whoever|Where|That|Those|Which)\b",
        "begin with the noun, in a sentence that stands by itself",
    ),
    (r"(?:Judge|Look at|See|Notice|Paint)\b(?! the)", "nets compute: 'Logits of images x.', 'Features of images x.'"),
    (r"How (?:many|much|often|far)\b", "begin with the noun: 'Number of ...', 'Distance of ...', 'Share of ...'"),
]
"""Patterns at the beginning of a docstring."""

NAMES = [
    (r"(?:^|_)pictures?(?:_|$)|Picture", "image"),
    (r"(?:^|_)codings?(?:_|$)|Codings?", "latents, codes, embedding"),
    (r"(?:^|_)laws?(?:_|$)", "distribution"),
    (
        r"[Cc]olour|[Nn]eighbour|[Cc]entre|[Oo]ptimis(?!t)|[Nn]ormalis|[Ss]ynthesis(?:e|ing)|[Ii]nitialis|[Qq]uantis",
        "American",
    ),
    (
        r"^(?:found|given|told|held|kept|had|noticed|wanted|likeliest|what|whole)_?$",
        "name the thing: value, penalty, codes",
    ),
]
"""Patterns of names that are assigned, passed or defined."""


class Hit(NamedTuple):
    """Words to replace, and where they are."""

    path: Path
    line: int
    words: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.words!r}: {self.instead}"


def in_text(path: Path, line: int, text: str) -> Iterator[Hit]:
    """Hits of `TEXT` in a piece of prose that starts on `line`."""
    for pattern, instead in TEXT if ANY.search(text) else ():
        for match in re.finditer(pattern, text):
            yield Hit(path, line + text.count("\n", 0, match.start()), match[0].replace("\n", " "), instead)


def in_code(path: Path) -> Iterator[Hit]:
    """Hits in a Python file: its strings, comments, names and long functions."""
    source = path.read_text()
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from in_text(path, node.lineno, node.value)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            docstring = ast.get_docstring(node) or ""
            line = node.body[0].lineno if docstring else 0
            for pattern, instead in OPENINGS:
                if match := re.match(pattern, docstring):
                    yield Hit(path, line, docstring[: match.end() + 30].split("\n")[0], instead)
        yield from in_names(path, node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) and text_times_bool(node):
            yield Hit(path, node.lineno, ast.unparse(node)[:40], "a string times a boolean: write 'if'")
        if isinstance(node, ast.FunctionDef) and (lines := node.end_lineno - node.lineno + 1) > LINES:
            yield Hit(path, node.lineno, f"{node.name}: {lines} lines", f"at most {LINES}: split it")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield from in_text(path, token.start[0], token.string)


def text_times_bool(node: ast.BinOp) -> bool:
    """Whether a product is of a string and an expression that is not a number."""
    sides = node.left, node.right
    text = any(
        isinstance(x, ast.JoinedStr) or (isinstance(x, ast.Constant) and isinstance(x.value, str)) for x in sides
    )
    truth = ast.Compare | ast.BoolOp | ast.UnaryOp
    return text and any(
        isinstance(x, truth) or (isinstance(x, ast.Call) and ast.unparse(x.func) == "bool") for x in sides
    )


def in_names(path: Path, node: ast.AST) -> Iterator[Hit]:
    """Hits among the names that a node assigns or defines."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        name = node.id
    elif isinstance(node, ast.FunctionDef | ast.ClassDef):
        name = node.name
    elif isinstance(node, ast.arg):
        name = node.arg
    else:
        return
    for pattern, instead in NAMES:
        if re.search(pattern, name):
            yield Hit(path, node.lineno, name, f"a better name: {instead}")


def in_markdown(path: Path) -> Iterator[Hit]:
    """Hits in a Markdown file: its prose outside code blocks, and lines that are too long."""
    lines = path.read_text().splitlines()
    code = False
    for i, line in enumerate(lines):
        if line.lstrip().startswith("```"):
            code = not code
        elif code:
            lines[i] = ""
        elif len(line) > COLUMNS and not line.lstrip().startswith(("|", "![")):
            yield Hit(path, i + 1, line[:30] + "...", f"wrap prose at {COLUMNS} columns, not {len(line)}")
    yield from in_text(path, 1, re.sub(r"`[^`\n]*`|\]\([^)\n]*\)", "`", "\n".join(lines)))


def hits(root: Path) -> list[Hit]:
    """All hits in a file, or in the files of a folder."""
    files = [root] if root.is_file() else sorted(p for p in root.rglob("*") if p.suffix in (".py", ".md"))
    return [hit for path in files for hit in (in_code(path) if path.suffix == ".py" else in_markdown(path))]


@pytest.mark.heavy
@pytest.mark.parametrize("folder", EVERYTHING)
def test_words_are_plain(folder):
    listed = hits(ROOT / folder)
    assert not listed, "\n" + "\n".join(map(str, listed))


DIALECT = {
    "images of 32 pixels a side": "images of 32 pixels per side",
    "one weight an example": "one weight per example",
    "two convolutions a stage": "two convolutions per stage",
    "what the critic sees": "the critic's input",
    "the net is told the class": "the class is an input of the net",
    "after so many steps": "after `steps` steps",
    "the same but for rounding": "the same except for rounding",
    "expected a loss: there is 'hinge', 'minimax'": "choose from 'hinge', 'minimax'",
    "both have one law of classes": "both have one distribution of classes",
    "the Frechet distance": "the Fréchet distance",
    "normalised colours": "normalized colors",
}


@pytest.mark.parametrize("words", DIALECT)
def test_patterns_find_the_dialect_and_accept_plain_words(words):
    assert list(in_text(ROOT, 1, words))
    assert not list(in_text(ROOT, 1, DIALECT[words]))


def test_openings_names_and_long_functions_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    path = tmp_path / "module.py"
    body = "\n".join(["    x = 0"] * LINES)
    path.write_text(f'"""What a module has."""\n\n\ndef f(coding):\n    """Of x."""\n    found = 0\n{body}\n')
    lines = [str(hit).split(": ")[0] for hit in hits(path)]
    assert sorted(lines) == sorted(f"module.py:{line}" for line in (1, 4, 4, 5, 6))


def test_the_glossary_names_files_that_exist():
    text = (ROOT / "docs" / "glossary.md").read_text()
    rows = [line.rsplit("|", 2)[1] for line in text.splitlines() if line.startswith("| ")]
    paths = [path for row in rows for path in re.findall(r"`([^`]+)`", row)]
    assert len(paths) > 30
    assert not [path for path in paths if not any((root / path).exists() for root in (ROOT / "genjax", ROOT))]


if __name__ == "__main__":
    roots = [Path(x).resolve() for x in sys.argv[1:]] or [ROOT / x for x in EVERYTHING]
    listed = [hit for root in roots for hit in hits(root)]
    print(*listed, sep="\n")
    print(len(listed), "hits")
