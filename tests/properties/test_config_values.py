"""Any key and any value of --config.key=value is the value that was meant, or is refused in a line or two."""

import ast
import math
import sys

import pytest
from absl import flags
from fuzzing import property_of, result_or_line
from helpers import ROOT
from hypothesis import assume
from hypothesis import strategies as st
from ml_collections import config_flags

from genjax import tasks
from genjax.cli import entry
from genjax.config import check, flat
from genjax.data.images import form_of_config

CONFIGS = ("gan", "vae", "ae_stacked", "vqvae", "classifier", "cgan")
SHAPE = (28, 28, 1)


def parse(arguments):
    """The config of a command line, as genjax.train parses and checks it before it opens data."""
    values = flags.FlagValues()
    argv = ["train", *arguments]
    config_flags.DEFINE_config_file("config", None, "", flag_values=values, sys_argv=argv)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flags, "FLAGS", values)
        patch.setattr(sys, "argv", argv)
        rest = entry._parse_flags(argv)
        if len(rest) > 1:
            return None
    config = values.config
    check(config, tasks.default_config(config.task))
    form_of_config(config.data)
    tasks.build(config, SHAPE)
    return config


def start(name):
    return f"--config={ROOT}/configs/{name}.py:smoke"


KEYS = {name: flat(parse([start(name)])) for name in CONFIGS}

NUMBERS = ["", "0", "1", "-1", "2", "0.5", "1e-3", "1e3", "nan", "inf", "-inf", "1e400", "0x10", "1_000", "9" * 30]
WORDS = ["True", "false", "None", "(1,)", "(1, 2)", "(0, -1)", "[1]", "{}", "'x'", "adam", "hinge", "mlp", "=", "a=b"]
words = st.sampled_from(NUMBERS + WORDS)
values = st.one_of(words, st.integers().map(str), st.floats().map(repr), st.text(max_size=12))


UNLIMITED = ("data.resident_gib", "eval.budget", "ema.ramp")  # infinity means that there is no limit


def meant(key, value, text, default):
    """Whether a value of a key with this default is the one that a text names."""
    if isinstance(default, bool):
        return value is (text.lower() in ("true", "t", "1", "yes", ""))
    if isinstance(default, int):
        return isinstance(value, int) and not isinstance(value, bool) and value == int(text, 0)
    if isinstance(default, float):
        return isinstance(value, float) and value == float(text) and (math.isfinite(value) or key in UNLIMITED)
    if isinstance(default, str):
        return value == text
    literal = ast.literal_eval(text)
    return list(value) == (list(literal) if isinstance(literal, tuple | list) else [literal])


@property_of(name=st.sampled_from(CONFIGS), data=st.data(), text=values)
def test_a_value_is_the_one_that_was_meant_or_refused(folder, name, data, text):
    key = data.draw(st.sampled_from(sorted(KEYS[name])))
    assume("\0" not in text)
    config = result_or_line(lambda: parse([start(name), f"--config.{key}={text}"]), lines=2)
    if config is not None and key != "task":
        changed = flat(config)
        assert meant(key, changed.pop(key), text, KEYS[name][key]), (key, text)
        expected = dict(KEYS[name])
        del expected[key]
        assert changed == expected


keys = st.one_of(
    st.text("abcdefgnosteplr_.", max_size=12),
    st.sampled_from(
        ["autoencoder.output", "data.name.x", "steps.x", "data", "generator", "optimizer", ".", "a..b", ""]
    ),
)


@property_of(name=st.sampled_from(CONFIGS), key=keys, text=values, separator=st.sampled_from(["=", "", " "]))
def test_a_key_that_there_is_not_is_refused_by_its_name(folder, name, key, text, separator):
    assume(key not in KEYS[name])
    result = result_or_line(lambda: parse([start(name), f"--config.{key}{separator}{text}"]), lines=2)
    assert result is None or key.removeprefix("no") in KEYS[name]


@property_of(arguments=st.lists(st.text(max_size=15), max_size=3))
def test_any_arguments_are_parsed_or_refused(folder, arguments):
    assume(not any("flagfile" in argument for argument in arguments))
    result_or_line(lambda: parse([start("gan"), *arguments]), lines=2)
