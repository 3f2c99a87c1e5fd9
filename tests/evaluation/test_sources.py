"""The sources of an evaluation: every name of a data source opens, and held-out examples are held out."""

import numpy as np
import pytest
from helpers import config_of
from PIL import Image

from genjax.config import defaults
from genjax.errors import InputError
from genjax.evaluation import sources
from genjax.report import reconstructions
from genjax.run.loaded import open_run, restored
from genjax.run.training import train

pytestmark = pytest.mark.usefixtures("no_report")

FORM = defaults("").data


@pytest.mark.parametrize("name", ["shapes_16", "textures_16", "arc3d", "emoji_32", "stacked:fashion_mnist_10k"])
def test_data_sources_open_by_name(name):
    source = sources.open_images(name, "test[:10]", FORM)
    assert (source.name, source.split) == (name, "test[:10]")


def test_a_folder_opens_by_its_path(images):
    assert sources.open_images(str(images)).name == f"folder:{images}"


@pytest.mark.parametrize("name", ["nothing", "shapes_", "ring9"])
def test_a_name_that_is_nothing_lists_the_sources(name):
    with pytest.raises(InputError, match=rf"'{name}' is no folder of images.*shapes_SIDE.*arc3d or your own 'package"):
        sources.open_images(name)


def test_held_out_examples_are_of_the_split_test():
    train, test = (sources.open_images("shapes_16", split, FORM) for split in ("train", "test"))
    assert sources.heldout("shapes_16", "", FORM, train.fingerprint).fingerprint == test.fingerprint
    assert sources.heldout("shapes_16", "train[:5]", FORM, train.fingerprint).size == 5
    assert sources.heldout("shapes_16", "", FORM, test.fingerprint) is None  # trained on


def test_a_source_without_a_split_test_has_no_held_out_examples(images):
    assert sources.heldout(f"folder:{images}", "", FORM, "") is None
    with pytest.raises(InputError, match="no split 'valid'"):
        sources.heldout(f"folder:{images}", "valid", FORM, "")


@pytest.mark.parametrize("name", ["stacked:emoji_32", "shapes_9999", "no_such_source"])
def test_only_a_missing_split_means_that_nothing_is_held_out(name):
    with pytest.raises(InputError):
        sources.heldout(name, "", FORM, "")


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["shapes_16", "textures_16"])
def test_a_run_on_drawn_images_shows_held_out_ones(tmp_path, name):
    assert train(config_of("ae_stacked", data__name=name, data__split="train[:40]"), tmp_path) == 0
    run = open_run(tmp_path, needs=("reconstruct",))
    heldout = sources.open_images(name, "test", FORM)
    assert run.source.fingerprint == heldout.fingerprint
    expected = reconstructions.draw(*restored(run.task, run.state, heldout.read(np.arange(4))))
    with Image.open(tmp_path / "samples" / "step_00000004.png") as image:
        np.testing.assert_array_equal(image, expected)
