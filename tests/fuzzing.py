"""Tools of tests/properties: a test of many drawn inputs, damaged bytes, and calls that end in a result or one line.

A property is tried with 100 inputs, the same in every run; `pytest -m slow tests/properties` tries 10,000 others each.
"""

import contextlib
import functools
import signal
import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genjax.errors import InputError

FEW, MANY = 100, 10_000
SECONDS = 20
"""An input that takes longer hangs."""


def property_of(fixtures=(), **inputs):
    """A decorator: a test that calls the function with a temporary folder, named fixtures and inputs that are drawn."""

    def decorate(body):
        @pytest.mark.heavy
        @pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
        @functools.wraps(body, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
        def test(count, tmp_path, request):
            shared = {name: request.getfixturevalue(name) for name in fixtures}

            @settings(
                max_examples=count,
                derandomize=count == FEW,
                database=None,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            )
            @given(**inputs)
            def check(**values):
                with time_limit():
                    body(tmp_path, **shared, **values)

            check()

        del test.__wrapped__  # pytest would ask for the arguments of `body`
        return test

    return decorate


@contextlib.contextmanager
def time_limit():
    """Fail if the block takes longer than SECONDS."""

    def stop(*_):
        raise AssertionError(f"still busy after {SECONDS} s")

    old = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, old)


def result_or_line(call, lines: int = 1):
    """The result of a call, or None if it refuses its input in at most `lines` lines; a warning fails.

    Warnings of Pillow do not: `genjax.data.encoded` hides them.
    """
    result = message = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = call()
        except InputError as error:
            message = str(error)
    assert message is None or is_short(message, lines), message
    harmless = (ResourceWarning, DeprecationWarning)  # of files that NumPy leaves open in a damaged archive
    serious = [w for w in caught if not issubclass(w.category, harmless) and "/PIL/" not in w.filename]
    assert not serious, serious[0]
    return result


def is_short(message: str, lines: int = 1) -> bool:
    """Whether a message is of at most `lines` lines, and neither empty nor very long."""
    return bool(message.strip()) and len(message.splitlines()) <= lines and len(message) < 1000


@st.composite
def damaged(draw, data: bytes) -> bytes:
    """Bytes with one to four faults: a flipped bit, another byte, a cut, a swap, a repeat, a run of zeros."""
    data = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        if not data:
            break
        start, stop = sorted(draw(st.tuples(*[st.integers(0, len(data))] * 2)))
        place = min(start, len(data) - 1)
        match draw(st.sampled_from(["flip", "set", "truncate", "cut", "swap", "repeat", "zeros"])):
            case "flip":
                data[place] ^= 1 << draw(st.integers(0, 7))
            case "set":
                data[place] = draw(st.integers(0, 255))
            case "truncate":
                del data[start:]
            case "cut":
                del data[start:stop]
            case "swap":
                data[:] = data[stop:] + data[start:stop] + data[:start]
            case "repeat":
                data[stop:stop] = data[start:stop]
            case "zeros":
                data[start:stop] = bytes(stop - start)
    return bytes(data)
