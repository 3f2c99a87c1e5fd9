"""Numbers of different protocols are never put side by side."""

import json

import pytest

from genjax.errors import InputError
from genjax.evaluation.metric import Value
from genjax.evaluation.protocol import Result
from genjax.files import append_line
from genjax.report import html
from genjax.report.results import by_protocol, compare, incomparable, key
from genjax.run.records import read_evaluations, read_metrics

PROTOCOL = {
    "metric": "frechet",
    "settings": {},
    "samples": {"count": 2000},
    "reference": {"name": "clothes", "fingerprint": "ab"},
    "features": {"net": "N", "sha256": "cd"},
    "versions": {"jax": "1"},
}
MORE = PROTOCOL | {"samples": {"count": 10_000}}
NEWER = PROTOCOL | {"versions": {"jax": "2"}}


def run(folder, *results):
    """A run's folder with results (step, value, protocol)."""
    folder.mkdir()
    for step, value, protocol in results:
        result = Result(protocol["metric"], [Value("Fréchet distance (N)", value, "lower")], protocol, 1.0)
        append_line(folder / "metrics.jsonl", json.dumps(result.row(step, None)))
    return str(folder)


def test_a_key_is_that_of_everything_but_the_versions():
    assert key(PROTOCOL) == key(NEWER) == key(json.loads(json.dumps(PROTOCOL)))
    assert key(PROTOCOL) == key(dict(reversed(PROTOCOL.items())))
    assert key(PROTOCOL) != key(MORE)
    assert incomparable(PROTOCOL, NEWER) == []
    assert incomparable(PROTOCOL, MORE) == ["samples.count: 2000 -> 10000"]


def test_runs_of_one_protocol_stand_in_one_line(tmp_path):
    a = run(tmp_path / "a", (100, 9.0, PROTOCOL), (200, 5.0, PROTOCOL))
    b = run(tmp_path / "b", (300, 7.0, NEWER))
    (line,) = [line for line in compare([a, b]).splitlines() if "Fréchet" in line]
    assert line.split()[-2:] == ["5", "7"]  # the newest of each
    assert f"{a}, step 200" in compare([a, b])


def test_runs_of_two_protocols_stand_apart_with_the_difference(tmp_path):
    a, b = run(tmp_path / "a", (100, 9.0, PROTOCOL)), run(tmp_path / "b", (100, 7.0, MORE))
    text = compare([a, b])
    assert [line.split()[3:] for line in text.splitlines()[2:4]] == [["A", "9"], ["B", "7"]]
    assert "A and B do not compare" in text
    assert "samples.count: 2000 -> 10000" in text


def test_every_one_of_many_protocols_has_a_line(tmp_path):
    protocols = [PROTOCOL | {"samples": {"count": 1000 + number}} for number in range(30)]
    runs = [run(tmp_path / f"{number}", (1, 5.0 + number, one)) for number, one in enumerate(protocols)]
    lines = [line.split()[3:] for line in compare(runs).splitlines() if line.startswith("Fréchet distance (N) ")]
    assert lines[25:28] == [["Z", "30"], ["AA", "31"], ["AB", "32"]]
    assert len(lines) == 30


def test_a_run_without_results_is_named(tmp_path):
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="none has no results"):
        compare([str(tmp_path / "none")])


def test_rows_of_training_and_results_share_a_file(tmp_path):
    folder = run(tmp_path / "a", (100, 9.0, PROTOCOL), (100, 8.0, PROTOCOL))
    path = tmp_path / "a" / "metrics.jsonl"
    append_line(path, json.dumps({"step": 100, "loss": 1.0}))
    assert read_metrics(path) == [{"step": 100, "loss": 1.0}]
    (row,) = read_evaluations(path)  # a repetition holds
    assert row["values"] == {"Fréchet distance (N)": 8.0}
    assert len(by_protocol([row])) == 1
    assert folder


def test_a_line_after_a_torn_one_is_whole(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1, "a": 1}\n{"step": 2, "a"')
    append_line(path, '{"step": 3, "a": 3}')
    append_line(path, '{"step": 4, "a": 4}')
    assert read_metrics(path) == [{"step": 1, "a": 1}, {"step": 3, "a": 3}, {"step": 4, "a": 4}]


def test_a_page_tells_results_of_two_protocols_apart(tmp_path):
    run(tmp_path / "a", (100, 9.0, PROTOCOL), (200, 5.0, PROTOCOL), (200, 7.0, MORE))
    page = html.write(tmp_path / "a").read_text() if _logged(tmp_path / "a") else ""
    assert page.count("<th>Fréchet distance (N)</th>") == 2
    assert key(PROTOCOL) in page
    assert key(MORE) in page
    assert "Numbers of different protocols do not compare" in page
    assert "5, step 200" in page  # the best of those that compare
    series = html._repeated(read_evaluations(tmp_path / "a" / "metrics.jsonl"))
    assert [(row["step"], row["Fréchet distance (N)"]) for row in series] == [(100, 9.0), (200, 5.0)]


def _logged(folder):
    append_line(folder / "metrics.jsonl", json.dumps({"step": 200, "loss": 1.0}))
    return True
