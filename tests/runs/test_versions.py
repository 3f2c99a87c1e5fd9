"""A run that older packages trained, in tests/runs/older, under the packages at hand.

Its config.json has the command that made it, and the versions; samples.npy are its seeds 0 to 3, by the same versions.
To make another, run that command, keep config.json, metrics.jsonl and checkpoints/, and write the samples beside them.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers import checkpoints

from genjax.run.restore import load_info, restore, saved_config, weights_sha256
from genjax.run.training import train
from genjax.sample import sample

pytestmark = pytest.mark.usefixtures("no_report")

OLDER = Path(__file__).parent / "older"
WEIGHTS = "db08058fab647940935c75edaeb00568b07f285901ee66997a3a59a34c869737"


def test_its_weights_are_restored_to_the_bit():
    _, state = restore(OLDER)
    assert int(state.step) == 20
    assert weights_sha256(state) == WEIGHTS


def test_its_samples_are_the_same_to_rounding():
    differences = np.int32(sample(OLDER, np.arange(4))) - np.load(OLDER / "samples.npy")
    assert abs(differences).max() <= 1


@pytest.mark.heavy
def test_its_training_goes_on(tmp_path, capsys):
    run = shutil.copytree(OLDER, tmp_path / "run")
    config = saved_config(load_info(run))
    config.update(steps=24, save_every=24)
    assert train(config, run, force=True) == 0
    assert "going on from step 20" in capsys.readouterr().err
    assert checkpoints(run) == [20, 24]
    steps = [json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text("utf-8").splitlines()]
    assert steps == [*range(2, 26, 2)]
