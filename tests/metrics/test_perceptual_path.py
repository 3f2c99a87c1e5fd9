"""Perceptual path length of generators whose paths have known lengths."""

import numpy as np
import pytest

from genjax.errors import InputError
from genjax.metrics import perceptual_path_length

RNG = np.random.default_rng(0)
START, END = RNG.standard_normal((200, 6)), RNG.standard_normal((200, 6))


def squared(x, y):
    return np.sum((np.asarray(x, np.float64) - y) ** 2, -1)


def identity(z):
    return z


@pytest.mark.parametrize("sampling", ["full", "end"])
def test_a_straight_path_has_the_squared_length_of_its_chord(sampling):
    # The identity's distance is |end - start|^2 epsilon^2 at any t; the filter drops the shortest and the longest.
    chords = np.sort(squared(START, END))
    low, high = np.floor(0.01 * 199).astype(int), np.ceil(0.99 * 199).astype(int)
    found = perceptual_path_length(
        identity, squared, START, END, path="lerp", sampling=sampling, epsilon=1e-2, batch=33
    )
    np.testing.assert_allclose(found, chords[low : high + 1].mean(), rtol=1e-3)


def test_the_filter_drops_what_is_beyond_the_percentiles():
    ends = START + np.r_[np.full(199, 1.0), 1e3][:, None]
    found = perceptual_path_length(identity, squared, START, ends, path="lerp", epsilon=1e-2)
    np.testing.assert_allclose(found, 6, rtol=1e-2)


def test_a_great_circle_has_the_squared_angle():
    # Unit vectors at angle a: the chord of an arc a epsilon is 2 sin(a epsilon / 2), about a epsilon.
    start, end = np.tile([1.0, 0], (50, 1)), np.tile([np.cos(2), np.sin(2)], (50, 1))
    np.testing.assert_allclose(perceptual_path_length(identity, squared, start, end, epsilon=1e-2), 4, rtol=1e-3)


def test_full_paths_start_anywhere_and_end_paths_at_the_start():
    seen = []
    generate = lambda z: seen.append(z) or z  # noqa: E731
    perceptual_path_length(generate, squared, START, END, path="lerp", sampling="end", batch=200)
    np.testing.assert_array_equal(seen[0], START.astype(np.float32))
    perceptual_path_length(generate, squared, START, END, path="lerp", batch=200)
    t = np.sum((seen[2] - START) * (END - START), 1) / squared(START, END)
    assert t.min() < 0.1
    assert t.max() > 0.9
    assert abs(t.mean() - 0.5) < 4 * np.sqrt(1 / 12 / 200)


def test_a_constant_stays_the_same_along_a_path_and_adds_no_length():
    labels = np.eye(4)[np.arange(200) % 4]
    inputs = []

    def generate(z):
        inputs.append(z)
        return z

    length = perceptual_path_length(generate, squared, START, END, constant=labels, epsilon=1e-2, batch=200)
    assert length == perceptual_path_length(identity, squared, START, END, epsilon=1e-2, batch=200)
    for z in inputs:
        np.testing.assert_array_equal(z[:, 6:], labels)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda f: f(identity, squared, START, END[:9]), "expected pairs"),
        (
            lambda f: f(identity, squared, START, END, path="arc"),
            "path 'arc', .*expected path slerp or lerp",
        ),
        (lambda f: f(identity, squared, START, END, sampling="both"), "sampling 'both'"),
        (lambda f: f(identity, squared, START, END, epsilon=0), "epsilon is 0"),
        (
            lambda f: f(identity, squared, START, END, constant=np.eye(4)),
            r"constant has shape \(4, 4\).*row per latent",
        ),
        (lambda f: f(identity, squared, START * np.nan, END), "start has nan"),
        (lambda f: f(identity, lambda x, y: x[:, 0] * np.nan, START, END), r"distance\(...\) has nan"),
        (lambda f: f(identity, lambda x, y: x, START, END), "expected one number per pair"),
    ],
)
def test_bad_input_is_one_sentence(call, text):
    with pytest.raises(InputError, match=text):
        call(perceptual_path_length)
