"""The process that the others wait for is named when it becomes another one."""

from genjax.run.pace import Pace


def test_a_late_process_is_named_once_until_it_changes():
    pace = Pace(["a", "b", "c"])
    said = []
    for reading in ([0, 0.1, 0.1], [0.1, 0.6, 0.2], [0.1, 0.7, 0.2], [0, 0, 0.1], [0, 0.5, 0], [0.9, 0.5, 0]):
        pace.add([value / 2 for value in reading])
        pace.add([value / 2 for value in reading])
        shares = pace.shares(2.0)
        assert shares == [round(value / 2, 3) for value in reading]
        said.append(pace.line(shares))
    assert [bool(line) for line in said] == [False, True, False, False, True, True]
    assert "process 1 (b) reads its examples in 30% of the time, process 0 (a) in 5%" in said[1]
    assert "process 0 (a)" in said[5]


def test_one_process_has_no_shares():
    pace = Pace(["a"])
    pace.add([1.0])
    assert pace.shares(2.0) == []
