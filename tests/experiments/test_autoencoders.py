"""The course's models in small: each is trained and evaluated once."""

import re

import pytest
from helpers import ROOT, Program

from experiments.autoencoders.models import MODELS


def study(folder, *more):
    given = [f"--workdir={folder}", "--data=fashion_mnist_10k", "--seeds=2", "--epochs=0.001", *more]
    return Program("experiments.autoencoders", *given).wait()


@pytest.mark.slow
def test_models_are_trained_and_evaluated_once(tmp_path):
    first = study(tmp_path, "--models=stacked,greedy")
    assert first.code == 0, first.err
    rows = first.out.splitlines()
    assert rows[2].startswith("stacked 784-100-30, SGD 1.5")
    assert " ± " in rows[2]
    assert rows[2].split()[-2:] == ["0.2842", "0.9366"]  # the book's
    head, line, *kept = (tmp_path / "table.md").read_text().splitlines()
    assert head.startswith("| model |")
    assert set(line) <= set("| -")
    assert [[cell.strip() for cell in row.split("|")[1:-1] if cell.strip()] for row in kept] == [
        re.split(r"\s{2,}", row.strip()) for row in rows[2:]
    ]
    again = study(tmp_path, "--models=stacked,greedy")
    assert again.out == first.out
    assert again.err == ""  # nothing was trained


def test_an_unknown_model_is_named(tmp_path):
    done = study(tmp_path, "--models=staked")
    assert done.code == 2
    assert "no 'staked' (did you mean 'stacked'?)" in done.err


@pytest.mark.parametrize("name", MODELS)
def test_every_model_has_its_config(name):
    assert (ROOT / "configs" / f"{MODELS[name].config}.py").exists()
