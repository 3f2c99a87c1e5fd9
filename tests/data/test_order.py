import numpy as np
import pytest

from genjax.data import positions
from genjax.data.order import StepOrder


def test_every_epoch_is_a_permutation_and_epochs_differ():
    stream = positions(seed=3, size=50, start=0, count=150).reshape(3, 50)
    for epoch in stream:
        assert sorted(epoch) == list(range(50))
    assert len({epoch.tobytes() for epoch in stream}) == 3


def test_positions_follow_their_definition():
    seed, size = 7, 11
    expected = [np.random.default_rng((seed, p // size)).permutation(size)[p % size] for p in range(40)]
    np.testing.assert_array_equal(positions(seed, size, 0, 40), expected)


def test_any_cut_gives_the_same_stream():
    whole = positions(1, 13, 0, 100)
    assert whole.dtype == np.int32
    for batch in (1, 7, 13, 40):
        pieces = [positions(1, 13, start, min(batch, 100 - start)) for start in range(0, 100, batch)]
        np.testing.assert_array_equal(np.concatenate(pieces), whole)


def test_a_far_position_needs_nothing_before_it():
    start = 10**12 + 5
    np.testing.assert_array_equal(positions(0, 10, start, 3), positions(0, 10, start - 5, 8)[5:])


def test_seeds_differ_and_callers_cannot_spoil_the_order():
    first = positions(0, 100, 0, 100)
    assert (first != positions(1, 100, 0, 100)).any()
    kept = first.copy()
    first[:] = 0
    np.testing.assert_array_equal(positions(0, 100, 0, 100), kept)


@pytest.mark.parametrize("bad", [{"size": 0}, {"seed": -1}, {"start": -1}, {"count": -1}])
def test_nonsense_is_refused(bad):
    with pytest.raises(ValueError, match="expected size > 0"):
        positions(**{"seed": 0, "size": 5, "start": 0, "count": 2, **bad})


@pytest.mark.parametrize("chosen", [None, np.array([8, 3, 5, 1])])
def test_the_examples_of_a_step_are_columns_of_a_stretch_of_the_stream(chosen):
    """A phase that begins at step 4, after 10 examples, with two batches of six a step, of which three are read."""
    columns = np.array([1, 2, 5])
    order = StepOrder(3, 9, chosen, batches=2, batch=6, columns=columns, start=4, first_example=10)
    size = 9 if chosen is None else 4
    stream = positions(3, size, 10, 12 * 5)
    stream = stream if chosen is None else chosen[stream]
    expected = stream.reshape(5, 2, 6)[..., columns]
    np.testing.assert_array_equal([order.indices(step) for step in range(4, 9)], expected)
    for start, stop in ((0, 6), (5, 7), (2, 24), (18, 18 + 1)):
        np.testing.assert_array_equal(order.stretch(5, start, stop), expected[1:].ravel()[start:stop])
