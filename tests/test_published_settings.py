"""The tables of docs/published_settings.md: its numbers are the configs', and each difference has a reason."""

import json
import re
from fnmatch import fnmatchcase

import pytest
from helpers import ROOT, config_of

from genjax.config import flat

PAGE = (ROOT / "docs" / "published_settings.md").read_text("utf-8")
SECTIONS = re.findall(r"^## `(\w+)\.py(?::(\w+))?`\n(.*?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL)
ROWS = [
    ("".join([name, ":" * bool(variant), variant]), *(cell.strip() for cell in line.split("|")[1:-1]))
    for name, variant, text in SECTIONS
    for line in text.splitlines()
    if line.startswith("| `")
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[1]}")
def test_a_number_is_the_configs_and_a_difference_has_a_reason(row):
    config, key, here, published, where, reason = row
    name, _, variant = config.partition(":")
    values = {k: v for k, v in flat(config_of(name, variant)).items() if fnmatchcase(k, key.strip("`"))}
    assert values, key
    assert all(value == json.loads(here) for value in values.values()), values
    assert where
    literal, rest = re.match(r"(\[.*?\]|[-+\d.e]+)(.*)", published).groups()
    differs = json.loads(literal) != json.loads(here) or bool(rest)
    assert differs == bool(reason)


def test_every_config_is_on_the_page():
    assert len(ROWS) > 100
    missing = [path.name for path in (ROOT / "configs").glob("*.py") if f"`{path.name}" not in PAGE]
    assert not missing
    for name, _, text in SECTIONS:
        assert name == "vae_conv" or "arXiv:" in text or "The same source." in text, name
