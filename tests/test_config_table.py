"""The table of configs: it has every config, its numbers are on the pages that it names, the README is made from it."""

import dataclasses
import re

import pytest
from helpers import ROOT, run

from experiments.configs import as_json, prepared, with_table
from genjax import config_files, config_table


def section(page: str) -> str:
    """The text of a page of docs/, or of one section, whose title gives the anchor as forges make it."""
    path, _, anchor = page.partition("#")
    text = (ROOT / "docs" / path).read_text("utf-8")
    if not anchor:
        return text
    parts = re.split(r"^(?=#+ )", text, flags=re.MULTILINE)
    anchors = [
        re.sub(r"[^\w\- ]", "", part.partition("\n")[0].lower().lstrip("# ")).replace(" ", "-") for part in parts
    ]
    start = anchors.index(anchor)
    depth = len(parts[start]) - len(parts[start].lstrip("#"))
    end = next((i for i in range(start + 1, len(parts)) if parts[i].split(" ")[0].count("#") <= depth), len(parts))
    return "".join(parts[start:end])


def test_every_config_has_an_entry_and_every_run_a_config():
    assert set(config_files.names()) <= config_table.sizes().keys()
    assert {row.name for row in config_table.results()} <= set(config_files.names())
    text = (config_files.FOLDER / config_table.INDEX).read_text("utf-8")
    assert text == as_json({name: dataclasses.asdict(size) for name, size in config_table.sizes().items()})


@pytest.mark.parametrize("row", config_table.results(), ids=lambda row: row.spec)
def test_a_measured_run_is_described_on_its_page(row):
    """In its numbers, and in its image."""
    text = section(row.page)
    numbers = re.findall(r"(?<![\w.])[-.\d][\d,.]*\d", row.result)
    assert [number for number in numbers if number.strip("-") not in text] == []
    if row.image:
        page = (ROOT / "docs" / row.page.partition("#")[0]).read_text("utf-8")
        assert f"](images/{row.image})" in page
        assert (ROOT / "docs" / "images" / row.image).is_file()


@pytest.mark.parametrize("row", config_table.results(), ids=lambda row: row.spec)
def test_a_measured_run_has_a_variant_and_keys_that_there_are(row):
    from genjax.config import flat

    keys = flat(config_files.load(row.config))
    assert (row.keys or {}).keys() <= keys.keys()
    if ":" in row.config:
        assert row.config.partition(":")[2] in config_table.variants(row.name)


def test_the_readme_is_made_from_the_table():
    text = (ROOT / "README.md").read_text("utf-8")
    assert with_table(text) == text, "run python -m experiments.configs"
    with pytest.raises(ValueError, match="expected a page with the lines"):
        with_table("# genjax")


@pytest.mark.heavy
def test_the_runs_of_the_readme_have_the_parameters_that_are_computed():
    row = next(row for row in config_table.results() if row.of == "emoji")
    assert prepared(row.config, row.keys) == config_table.sizes()[row.spec]
    assert "242,036 + 241,945" in config_table.readme_table()


def test_variants_are_read_without_an_import():
    assert config_table.variants("dcgan") == ["smoke"]
    assert config_table.variants("stylegan") == ["smoke", "wgan_gp", "ffhq", "conditional"]


def test_the_command_lists_all_configs_or_one():
    out = run("genjax.cli", "configs").out
    assert [line.split()[0] for line in out.splitlines()[2:-3]] == config_files.names()
    assert "6,000 of 10,000 x 32  4:50 " in out
    out = run("genjax.cli", "configs", "configs/dcgan.py:smoke").out
    assert out.startswith(config_table.description("dcgan"))
    assert "genjax train dcgan --config.steps=6000" in out
    run("genjax.configs", "--name=dcgann").assert_refused("no 'dcgann' (did you mean 'dcgan'?)")


def test_a_value_that_a_shell_would_change_is_quoted():
    row = next(row for row in config_table.results() if row.config == "vqvae")
    assert "--config.data.split='train[:55000]'" in row.train
    assert "--config.data.name=fashion_mnist " in row.train
