"""Numbers that no config can have, and differences between configs."""

import math

import pytest
from helpers import config_of

from genjax import tasks
from genjax.config import UNLIMITED, check, differences, flat
from genjax.errors import InputError

NAMES = ("gan", "vae", "ae_stacked", "style_gatys", "stylegan2")


def floats(name):
    """Every key of a config whose value is a float, of nets as well."""
    return [(name, key) for key, value in flat(config_of(name)).items() if isinstance(value, float)]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(("name", "key"), [pair for name in NAMES for pair in floats(name)])
def test_a_number_that_is_not_finite_is_refused_by_its_key(name, key, value):
    config = config_of(name, **{key.replace(".", "__"): value})
    if value == math.inf and (key, value) in UNLIMITED:
        check(config, tasks.default_config(config.task))  # no limit
        return
    with pytest.raises(InputError, match=f"{key}={value}: expected finite numbers"):
        check(config, tasks.default_config(config.task))


def test_a_number_in_a_list_counts_as_well():
    config = config_of("style_gatys", style__shares=(1.0, math.nan))
    with pytest.raises(InputError, match=r"style.shares=\[1.0, nan\]"):
        check(config, tasks.default_config("style"))


def test_nan_does_not_differ_from_itself():
    config = {"a": math.nan, "b": {"c": [float("nan"), 1]}, "d": 1}
    assert list(differences(config, {"a": float("nan"), "b": {"c": [math.nan, 1]}, "d": 1.0})) == []
    assert list(differences(config, config | {"a": 2.0})) == ["a: nan -> 2.0"]
