"""Optional packages that are missing are named with the extra of pyproject.toml that has them."""

import sys
import tomllib
from pathlib import Path

import pytest

from genjax.errors import EXTRAS, InputError, optional


@pytest.mark.parametrize("module", EXTRAS)
def test_a_missing_package_is_one_line_with_its_extra(module, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError) as caught:
        optional(module, "a view")
    package, extra = EXTRAS[module]
    assert str(caught.value).endswith(f": pip install {package}, or pip install 'genjax-models[{extra}]'")
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))["project"]
    assert any(line.startswith(package) for line in project["optional-dependencies"][extra])
