"""Samples of one class, and a class a row, of a run that has classes."""

import numpy as np
import pytest
from helpers import config_of

from genjax.errors import InputError
from genjax.run.training import train
from genjax.sample import number_of, sample

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


def test_samples_of_a_label_are_those_of_its_seeds(tmp_path):
    config = config_of("cgan")
    config.steps = 1
    assert train(config, tmp_path) == 0
    bags = sample(tmp_path, [0, 3], label="Bag")
    np.testing.assert_array_equal(bags, sample(tmp_path, [8, 38]))
