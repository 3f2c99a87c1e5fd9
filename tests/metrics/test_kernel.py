"""The kernel distance in closed form and about zero for equal laws."""

import numpy as np
import pytest

from genjax.errors import InputError
from genjax.metrics import kernel_distance


def normal(count, seed, width=8):
    return np.random.default_rng(seed).standard_normal((count, width)).astype(np.float32)


def test_of_two_points_each_by_hand():
    # D = 1. Within x = {0, 1}: k = 1; within y = {1, 2}: (2 + 1)^3 = 27; across: 1, 1, (1+1)^3 = 8, (2+1)^3 = 27.
    found = kernel_distance([[0.0], [1.0]], [[1.0], [2.0]], subsets=1, size=2)
    np.testing.assert_allclose(found, (1 + 27 - 2 * (1 + 1 + 8 + 27) / 4, 0), rtol=1e-14)


def test_of_equal_laws_is_about_zero_and_unbiased():
    distances = [
        kernel_distance(normal(200, 2 * i), normal(200, 2 * i + 1), subsets=1, size=200).mean for i in range(40)
    ]
    assert min(distances) < 0 < max(distances)
    assert abs(np.mean(distances)) < 4 * np.std(distances) / np.sqrt(40)


def test_of_other_laws_grows_with_the_shift():
    x = normal(500, 0)
    found = [kernel_distance(x, normal(500, 1) + shift, subsets=5, size=300).mean for shift in (0, 0.3, 1)]
    assert found[0] < 0.1 * found[1] < 0.1 * found[2]


def test_a_seed_fixes_the_subsets():
    x, y = normal(100, 0), normal(90, 1)
    assert kernel_distance(x, y, 4, 50) == kernel_distance(x, y, 4, 50)
    assert kernel_distance(x, y, 4, 50) != kernel_distance(x, y, 4, 50, seed=1)
    assert kernel_distance(x, y, 4, 50).std > 0


def test_subsets_of_all_examples_are_one_without_deviation():
    x, y = normal(50, 0), normal(50, 1) + 1
    found = kernel_distance(x, y, size=50)
    assert found.std == 0
    gram = lambda a, b: (a.astype(float) @ b.T.astype(float) / 8 + 1) ** 3  # noqa: E731
    within = sum(gram(z, z).sum() - np.trace(gram(z, z)) for z in (x, y))
    np.testing.assert_allclose(found.mean, within / (50 * 49) - 2 * gram(x, y).mean(), rtol=1e-10)
    assert kernel_distance(x, normal(60, 1), subsets=5, size=50).std > 1e-6


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda x: kernel_distance(x, x[:, :3]), r"shape \(8,\) but y of \(3,\)"),
        (lambda x: kernel_distance(x, x), "subsets of 1000 need at least as many examples: got 20 and 20"),
        (lambda x: kernel_distance(x, x, size=1), "size is 1: expected an integer of at least 2"),
        (lambda x: kernel_distance(x, x, subsets=0, size=5), "subsets is 0"),
        (lambda x: kernel_distance(x, x * np.nan, size=5), r"y has nan at \[0, 0\] \(160 of 160"),
        (lambda x: kernel_distance(x[0], x, size=5), r"x has shape \(8,\): expected \[N, D\]"),
    ],
)
def test_bad_input_is_one_sentence(call, text):
    with pytest.raises(InputError, match=text):
        call(normal(20, 0))
