"""The site: links lead to pages, each page is in a section, pages of configs have nets. Sphinx runs in `make docs`."""

import json
import re
import tomllib
from pathlib import PurePosixPath

import pytest
from helpers import ROOT

import genjax
from docs.site import build, drawing, reference, sources
from genjax import config_files


def test_every_page_is_in_one_section():
    listed = [page for pages in sources.SECTIONS.values() for page in pages]
    pages = {str(sources.place(path).with_suffix("")) for path in sources.originals()} - {"index"}
    assert len(listed) == len(set(listed))
    assert set(listed) - pages == {"configs/index", "reference/index"}  # which are made
    assert pages <= set(listed)


@pytest.mark.parametrize(
    ("page", "link", "written"),
    [
        ("README.md", "docs/gans.md#options", "gans.md#options"),
        ("README.md", "configs/dcgan.py", "configs/dcgan.md"),
        ("docs/gans.md", "high_resolution.md", "high_resolution.md"),
        ("docs/library.md", "../configs", "configs/index.md"),
        ("docs/tutorials/gans.md", "../../genjax/losses/adversarial.py", "../source/genjax/losses/adversarial.py.md"),
        ("docs/tutorials/gans.md", "../images/demo.png", "../images/demo.png"),
        ("docs/operators.md", "operators/Dockerfile", "source/docs/operators/Dockerfile.md"),
        ("docs/export.md", "../genjax/ops/cpu", "source/genjax/ops/cpu.md"),
    ],
)
def test_a_link_leads_to_the_place_of_its_file_on_the_site(page, link, written):
    linked = []
    assert sources.with_links(f"see [`it`]({link})", PurePosixPath(page), linked.append) == f"see [`it`]({written})"
    assert (ROOT / linked[0]).exists()


def test_a_link_that_leads_nowhere_is_an_error_and_code_is_left_alone():
    with pytest.raises(FileNotFoundError, match=r"docs/gans.md links to nothing.md"):
        sources.with_links("[x](nothing.md)", PurePosixPath("docs/gans.md"), print)
    code = "```python\nf[x](nothing.md)\n```\n`[x](nothing.md)` https://[x](https://example.org)"
    assert sources.with_links(code, PurePosixPath("docs/gans.md"), print) == code


def test_all_links_between_pages_lead_to_files_and_to_sections():
    """As Sphinx does, where it is not installed."""
    pages = {sources.place(page): (ROOT / page).read_text("utf-8") for page in sources.originals()}

    def anchors(text):
        titles = re.findall(
            r"^#+ (.*)$", sources.CODE.sub(lambda m: m[0] if m[0][:3] != "```" else "", text), re.MULTILINE
        )
        return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}

    missing = []
    for page in sources.originals():
        text = sources.with_links((ROOT / page).read_text("utf-8"), page, lambda path: None)
        for path, anchor in re.findall(r"\]\(([\w./]+\.md)(#[^)]+)\)", text):
            target = PurePosixPath(sources.os.path.normpath(sources.place(page).parent / path))
            if target in pages and anchor[1:] not in anchors(pages[target]):
                missing.append(f"{page}: {path}{anchor}")
    assert missing == []


def test_followed_links_are_counted_once_each_and_a_missing_network_is_said(tmp_path):
    gone = {"status": "broken", "info": "404 Client Error: Not Found for url"}
    away = {"status": "broken", "info": "Caused by NameResolutionError(Failed to resolve 'a.org')"}
    works = {"status": "working", "info": ""}

    def summary(*links):
        lines = [json.dumps({"uri": uri, **link}) for uri, link in links]
        (tmp_path / "output.json").write_text("\n".join(lines), "utf-8")
        return build.summary(tmp_path / "output.json")

    assert summary(("a", works), ("a", works), ("b", gone), ("c", away)) == "links: 1 broken, 1 not reached, 1 working"
    assert summary(("a", away), ("b", away)) == "links: 2 not reached: is there a network?"


def test_programs_side_by_side_become_columns():
    text = "<!-- side by side -->\nA\n\nB\n<!-- end -->"
    assert sources.side_by_side(text) == ":::::{container} side-by-side\nA\n\nB\n:::::"


def test_docstrings_become_restructured_text():
    lines = ["The `x` * 2|.", "", "Fields:", "    a: one,", "        or two.", "Shapes: x [B] -> `y_`."]
    assert reference.as_rst(lines) == [
        "The ``x`` \\* 2\\|.",
        "",
        "**Fields:**",
        "",
        "- ``a``: one, or two.",
        "",
        "**Shapes:** x [B] -\\> ``y_``.",
    ]


def test_names_with_colons_are_no_links_and_addresses_are():
    assert reference.escaped("x: FILE:COLUMN, https://a.org/b") == "x: FILE\\:COLUMN, https://a.org/b"


def test_the_reference_has_modules_that_there_are():
    for name in reference.FOLDERS:
        assert reference.modules(name)
        for module in reference.modules(name):
            path = ROOT.joinpath(*module.split("."))
            assert path.with_suffix(".py").is_file()


def test_a_drawing_has_a_block_per_shape():
    assert drawing.chain([(3,)], "net") == ""
    svg = drawing.chain([(100,), (7, 7, 128), (28, 28, 1)], "<net>")
    assert svg.count("<rect") == 3
    assert "7x7x128" in svg
    assert "&lt;net&gt;" in svg
    assert drawing.chain([(n, n, 3) for n in range(1, 40)], "net").count("<rect") == drawing.MOST - 1


@pytest.mark.heavy
def test_the_page_of_a_config_is_made_from_it():
    from docs.site import config_pages

    text = config_pages.page("dcgan")
    for row in (
        "| `ConvTranspose_0` | ConvTranspose | 14 x 14 x 64 | 204,864 |",  # 5 x 5 x 128 x 64 + 64
        "| `Dense_0` | Dense | 1 | 6,273 |",  # 7 x 7 x 128 + 1
        "| train | 0 to 10,000 | 32 | 320,000 |",
        '| `optimizer.critic.name` | `"rmsprop"` | `"adam"` |',
        "genjax train dcgan --config.steps=6000",
        "[arXiv:1406.2661](https://arxiv.org/abs/1406.2661), section 3",
        "![dcgan: Fréchet distance 1,687; 42](../images/dcgan.png)",
    ):
        assert row in text
    assert "### generator: 840,321 parameters" in text
    tied = config_pages.page("ae_tied")
    assert "30</text>" in tied  # a net whose layers are no modules


def test_the_index_of_configs_has_them_all():
    from docs.site import config_pages

    assert config_pages.index().count("\n| [`") == len(config_files.names())


def test_the_citation_is_of_this_version():
    yaml = pytest.importorskip("yaml")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == genjax.__version__
    assert citation["license"] == project["license"]
    assert citation["authors"] == [{"name": "The genjax authors"}]
    page = (ROOT / "docs" / "citing.md").read_text("utf-8")
    for value in (citation["title"], citation["version"], citation["license"]):
        assert f"{{{value}}}" in page
