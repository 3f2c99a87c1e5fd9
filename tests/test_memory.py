"""Python's own memory in commands."""

import subprocess
import sys

import pytest

from genjax.cli.memory import on_one_stack

FAULTS = """
import resource
from genjax.cli.memory import on_one_stack

def nested(depth):
    return nested(depth - 1) if depth else 0

def calls(depth):
    '''200 calls of a function from a depth of the stack; the new pages of memory that they took.'''
    if depth:
        return calls(depth - 1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(200):
        nested(3)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def most():
    return max(calls(depth) for depth in range(300))

print(most(), on_one_stack(most))
"""


def test_calls_at_any_depth_of_the_stack_take_no_new_memory():
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True)
    before, after = map(int, done.stdout.split())
    assert after < 100
    if sys.version_info < (3, 13):
        assert before >= 200  # at some depth every call took memory


def test_results_and_errors_pass():
    assert on_one_stack(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        on_one_stack(lambda: 1 // 0)
