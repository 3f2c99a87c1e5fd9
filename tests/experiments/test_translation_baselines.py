"""Translations by rules: each against what it says, on images whose answers are known."""

import numpy as np
import pytest
from helpers import run
from PIL import Image

from experiments import translation_baselines as baselines
from genjax.data.source import in_memory
from genjax.data.translation import DERIVATIONS

rng = np.random.default_rng(0)
TARGETS = rng.integers(0, 256, (3, 8, 8, 3), np.uint8)
MEAN = TARGETS.mean(0)


def made(kind, targets=TARGETS):
    inputs = DERIVATIONS[kind].make(targets, np.arange(len(targets)))
    return inputs, {name: np.asarray(rule(inputs, targets.mean(0))) for name, rule in baselines.rules(kind).items()}


def test_enlarged_images_are_those_of_pillow():
    inputs, by_name = made("small4")
    small = Image.fromarray(np.ascontiguousarray(inputs[0, ::4, ::4]))
    assert (by_name["pixels repeated"] == inputs).all()
    assert (by_name["bicubic"][0] == np.asarray(small.resize((8, 8), Image.Resampling.BICUBIC))).all()


def test_the_mean_color_leaves_luma_and_moves_to_the_mean():
    targets = np.full((2, 4, 4, 3), (200, 100, 50), np.uint8)
    inputs, by_name = made("gray", targets)
    assert np.abs(by_name["mean color"] - targets).max() < 1  # luma is rounded
    assert (by_name["gray"] == inputs).all()


def test_the_mean_color_in_lab_is_that_color_at_its_own_lightness():
    targets = np.full((2, 4, 4, 3), (200, 100, 50), np.uint8)
    inputs, by_name = made("lab", targets)
    assert np.abs(by_name["mean color"] - targets).max() < 1.5  # the gray is rounded
    assert (by_name["gray"] == inputs).all()


def test_a_hole_is_filled_and_the_rest_stays():
    inputs, by_name = made("hole")
    hole = inputs[..., -1] == 0
    for filled in by_name.values():
        assert (filled[~hole] == TARGETS[~hole]).all()
    assert np.allclose(by_name["mean image"][hole], np.broadcast_to(MEAN, TARGETS.shape)[hole])
    assert np.allclose(by_name["mean of its pixels"][0][hole[0]], TARGETS[0][~hole[0]].mean(0))


def test_frames_go_on():
    frames = np.stack([np.full((1, 4, 4), value, np.uint8) for value in (0, 10, 20, 35)], -1)
    by_name = {name: rule(frames, np.zeros((4, 4, 1))) for name, rule in baselines.rules("frames").items()}
    assert (by_name["last frame"] == 35).all()
    assert (by_name["change continued"] == 50).all()


def test_means_and_blocks_are_of_targets():
    pairs = np.concatenate([TARGETS[..., :1], TARGETS], -1)
    source = in_memory("pairs", "", pairs, None)
    assert np.allclose(baselines.mean_target(source, 1), MEAN)
    ((targets, translations),) = baselines.translated(source, 1, baselines.in_gray, MEAN)
    assert (targets == TARGETS).all()
    assert (translations == TARGETS[..., :1]).all()


def test_pairs_that_no_rule_translates_are_refused():
    for kind in ("aligned", "small3", "small", ""):
        with pytest.raises(baselines.InputError, match="no rule translates it"):
            baselines.rules(kind)
    run("experiments.translation_baselines", "--config=dcgan:smoke").assert_refused("no rule translates it")
