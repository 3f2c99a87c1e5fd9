"""Samples of one class, and a class a row, of a run that has classes."""

import numpy as np
import pytest
from helpers import config_of, run
from PIL import Image

from genjax.errors import InputError
from genjax.report import gallery
from genjax.run.loaded import number_of
from genjax.run.restore import load_info
from genjax.run.training import train
from genjax.sample import sample

pytestmark = pytest.mark.usefixtures("no_report")

NAMES = ["T-shirt/top", "Trouser", "3"]


def test_a_label_is_a_name_or_a_number():
    assert number_of("Trouser", NAMES, 3) == 1
    assert number_of("2", NAMES, 3) == 2
    assert number_of("3", NAMES, 3) == 2  # a name comes first


@pytest.mark.parametrize(
    ("label", "classes", "message"),
    [
        ("Trousers", 3, "did you mean 'Trouser'"),
        ("3", 2, "a number below 2"),
        ("-1", 3, "below 3"),
        ("0", 0, "no classes"),
    ],
)
def test_a_label_that_there_is_not_is_named(label, classes, message):
    with pytest.raises(InputError, match=message):
        number_of(label, NAMES, classes)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a conditional run."""
    config = config_of("cgan")
    config.steps = 1
    path = tmp_path_factory.mktemp("cgan")
    assert train(config, path) == 0
    return path


def test_samples_of_a_label_are_those_of_its_seeds(trained):
    bags = sample(trained, [0, 3], label="Bag")
    np.testing.assert_array_equal(bags, sample(trained, [8, 38]))


def test_previews_and_samples_are_grids_with_the_names_of_the_classes(trained, tmp_path):
    names = load_info(trained)["data"]["labels"]
    expected = gallery.draw(sample(trained, range(20)), classes=10, names=names)
    assert expected.width > gallery.draw(sample(trained, range(20)), classes=10).width
    result = run("genjax.sample", f"--workdir={trained}", "--seeds=0-19", f"--out={tmp_path}/grid.png")
    assert result.code == 0, result.err
    for path in (tmp_path / "grid.png", trained / "samples" / "step_00000001.png"):
        with Image.open(path) as image:
            np.testing.assert_array_equal(np.asarray(image), np.asarray(expected))
