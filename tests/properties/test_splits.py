"""Split expressions select what the rules of TFDS say, written here as plainly as possible."""

import numpy as np
from fuzzing import property_of, result_or_line
from hypothesis import strategies as st

from genjax.data.splits import read_splits

SIZES = {"train": 23, "test": 4, "a.b-c_1": 1, "big": 1234}
DATA = {name: 10_000 * i + np.arange(size) for i, (name, size) in enumerate(SIZES.items())}

bounds = st.one_of(
    st.just(""),
    st.integers(-30, 30).map(str),
    st.integers(-130, 130).map("{}%".format),
    st.integers(-1300, 1300).map(str),
)
slices = st.builds("{}[{}:{}]".format, st.sampled_from(list(SIZES)), bounds, bounds)
terms = st.one_of(slices, st.sampled_from(list(SIZES)))
expressions = st.lists(terms, min_size=1, max_size=3).map("+".join)


def take(expression):
    return read_splits(expression, SIZES, lambda name: (DATA[name], -DATA[name]))


def index(bound, size, default):
    """The place that a bound names; None outside of the split."""
    if not bound:
        return default
    if bound.endswith("%"):
        percent = int(bound[:-1])
        if abs(percent) > 100:
            return None
        place = round(size * percent / 100)
    else:
        place = int(bound)
        if abs(place) > size:
            return None
    return size + place if place < 0 else place


def expected(expression):
    """The selected examples; None if a term reaches outside of its split or selects nothing."""
    chosen = []
    for term in expression.split("+"):
        name, _, inside = term.rstrip("]").partition("[")
        first, _, last = inside.partition(":")
        start, stop = (index(first, SIZES[name], 0), index(last, SIZES[name], SIZES[name]))
        if start is None or stop is None or start >= stop:
            return None
        chosen += DATA[name].tolist()[start:stop]
    return chosen


@property_of(expression=expressions)
def test_a_slice_is_what_it_says(folder, expression):
    result = result_or_line(lambda: take(expression))
    chosen = expected(expression)
    assert (result is None) == (chosen is None)
    if result is not None:
        x, labels = result
        assert x.tolist() == chosen
        np.testing.assert_array_equal(labels, -x)


@property_of(expression=st.one_of(st.text(max_size=20), st.text("trainest[]:%+-0123456789 ._", max_size=20)))
def test_any_text_is_a_split_or_refused(folder, expression):
    result = result_or_line(lambda: take(expression))
    assert result is None or len(result[0]) > 0
