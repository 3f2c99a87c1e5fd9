"""Share of right answers."""

import numpy as np
import pytest

from genjax.errors import InputError
from genjax.metrics import conditional_accuracy

PROBS = np.array([[0.7, 0.3], [0.2, 0.8], [0.5, 0.5], [0.1, 0.9]])


def test_it_counts_likeliest_classes_and_the_first_of_equal_ones():
    assert conditional_accuracy(PROBS, np.array([0, 1, 0, 0])) == 3 / 4
    assert conditional_accuracy(PROBS, np.array([1, 0, 1, 0])) == 0


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([0, 1, 0], "shape (3,): expected 4 integers"),
        ([0.0, 1.0, 0.0, 1.0], "float64"),
        ([0, 1, 2, 0], "from 0 to 2: expected 0 to 1"),
        ([0, 1, -1, 0], "from -1 to 1"),
    ],
)
def test_labels_that_are_no_classes_are_refused(labels, said):
    with pytest.raises(InputError) as error:
        conditional_accuracy(PROBS, np.array(labels))
    assert said in str(error.value)
