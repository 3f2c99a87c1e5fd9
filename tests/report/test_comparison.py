"""The page of several runs: what its table and its data say, read back from the HTML, and its script in a browser."""

import json
import shutil
import subprocess
from html.parser import HTMLParser
from types import SimpleNamespace
from urllib.parse import unquote

import pytest
from helpers import run as run_command
from PIL import Image

from genjax import compare
from genjax.errors import InputError
from genjax.report.comparison import page, runs

FID = "Fréchet distance"
EVIL = "</script><img src=x onerror=alert(1)>"


def result(step, value, count=100):
    protocol = {"metric": "frechet", "samples": {"count": count}, "versions": {"jax": str(value)}}
    return {
        "step": step,
        "evaluation": "frechet",
        "values": {FID: value},
        "better": {FID: "lower"},
        "protocol": protocol,
    }


def make_run(folder, config, rows=(), images=()):
    (folder / "samples").mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"config": {"task": "gan", "steps": 10} | config}))
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for step in images:
        Image.new("L", (4, 4), step).save(folder / "samples" / f"step_{step:08d}.png")
    return folder


@pytest.fixture
def three(tmp_path):
    """Three runs: two of one protocol, the third of another, and unfinished."""
    rows = [{"step": 5, "seconds": 1.0, "loss": 3.0}, {"step": 10, "seconds": 2.0, "loss": 1.0}]
    folder = tmp_path / "runs"
    make_run(folder / "a", {"rate": 0.1, "loss": {"name": "hinge"}}, [*rows, result(10, 7.0)], [0, 5, 10])
    make_run(folder / "b", {"rate": 0.2, "loss": {"name": "hinge"}}, [*rows, result(5, 4.0), result(10, 6.0)], [10])
    make_run(folder / "deep" / "c10", {"rate": 0.2, "loss": {"name": EVIL}}, [rows[0], result(5, 5.0, 200)])
    (folder / "a" / "report.html").write_text("")
    return folder


def read_all(folder, complete=lambda config: config):
    return [runs.read(name, path, complete) for name, path in runs.find([str(folder)]).items()]


class Reader(HTMLParser):
    """The cells of the table by run and heading, the scripts, the links and the elements of a page."""

    def __init__(self, text):
        super().__init__()
        self.keys, self.lines, self.scripts, self.links, self.tags = [], [], [], {}, []
        self.bold, self.inside = set(), []
        self.feed(text)
        self.data = json.loads(self.scripts[0])
        self.table = {
            line[1].strip(): dict(zip(self.keys, (cell.strip() for cell in line[1:]), strict=True))
            for line in self.lines
        }

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append(tag)
        self.inside.append(tag)
        if "data-key" in attributes:
            self.keys.append(attributes["data-key"])
        if tag == "tr" and "data-run" in attributes:
            self.lines.append([])
        if tag in ("td", "th") and self.lines and self.inside.count("tbody"):
            self.lines[-1].append("")
        if tag == "script":
            self.scripts.append("")
        if tag == "a":
            self.links[len(self.lines)] = attributes["href"]
        if tag == "b":
            self.bold.add((len(self.lines) - 1, self.keys[len(self.lines[-1]) - 2]))
        if tag in ("meta", "input", "img", "br"):
            self.inside.pop()

    def handle_endtag(self, tag):
        self.inside.pop()

    def handle_data(self, text):
        if "script" in self.inside:
            self.scripts[-1] += text
        elif self.inside.count("tbody") and self.lines and self.lines[-1]:
            self.lines[-1][-1] += text if "small" not in self.inside else f" ({text})"


def read_page(folder, **options):
    out = folder.parent / "page.html"
    return Reader(page.make(read_all(folder), out, **options).decode())


def test_the_table_has_what_differs_and_numbers_under_their_protocols(three):
    found = read_page(three)
    first, second = (key for key in found.keys if key.startswith(FID))
    assert first != second
    assert found.keys[:4] == ["run", "steps", "time", "changed"]
    assert {*found.keys[4:6]} == {first, second}
    assert found.keys[6:] == ["loss", "rate", "loss.name"]  # neither task nor steps differ
    a, b, c = found.table.values()
    of = {key: [run[key] for run in (a, b, c)] for key in found.keys}
    assert of["rate"] == ["0.1", "0.2", "0.2"]
    assert of["loss.name"] == ["hinge", "hinge", EVIL]
    assert of["steps"] == ["10", "10", "5 of 10"]
    assert of["time"] == ["0:02", "0:02", "0:01"]
    assert of["loss"] == ["1", "1", "3"]
    assert sorted([of[first], of[second]]) == [["", "", "5"], ["7", "6", ""]]
    alone = next(key for key in (first, second) if of[key][0])
    assert (1, alone) in found.bold  # 6 is lower than 7; 5 is of another protocol
    assert {key for _, key in found.bold} == {alone, "loss"}


def test_keys_that_only_another_task_has_are_no_difference(tmp_path):
    make_run(tmp_path / "runs" / "a", {"task": "gan", "rate": 1})
    make_run(tmp_path / "runs" / "b", {"task": "vae", "beta": 2})
    make_run(tmp_path / "runs" / "c", {"task": "vae"})
    found = read_page(tmp_path / "runs")
    assert found.keys == ["run", "steps", "time", "changed", "task", "beta"]


def test_names_and_values_are_text_whatever_they_hold(tmp_path):
    folder = tmp_path / "runs"
    name = '<b onclick="x">&amp;$data'
    rows = [{"step": 1, EVIL: 2.0, "loss": float("nan")}, {"step": 2, EVIL: 3.0, "loss": 1.0}]
    make_run(folder / name, {"note": EVIL}, rows)
    make_run(folder / "other", {"note": "b"}, rows)
    (folder / name / "report.html").write_text("")
    found = read_page(folder)
    assert len(found.scripts) == 2
    assert "img" not in found.tags
    assert [run["name"] for run in found.data["runs"]] == [name, "other"]
    assert name in found.table
    assert found.data["runs"][0]["curves"] == {EVIL: [[1, 2], [2.0, 3.0]], "loss": [[1, 2], [None, 1.0]]}
    assert unquote(found.links[1]) == f"runs/{name}/report.html"


def test_curves_are_thinned_and_keep_their_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "POINTS", 80)
    make_run(tmp_path / "runs" / "a", {}, [{"step": i, "loss": i / 3, "other": 1} for i in range(1, 101)])
    (run,) = read_page(tmp_path / "runs").data["runs"]
    steps, values = run["curves"]["loss"]
    assert len(steps) == len(values) == 40  # of 80 for two curves
    assert (steps[0], steps[-1], values[0], values[-1]) == (1, 100, 0.3333, 33.33)


def test_results_of_unlike_protocols_are_curves_of_their_own(three):
    curves = [set(run["curves"]) - {"loss"} for run in read_page(three).data["runs"]]
    assert curves[0] == curves[1]
    assert not curves[0] & curves[2]


@pytest.mark.parametrize(("mib", "held"), [(0.0, [[], []]), (1.0, [["0", "5", "10"], ["10"]])])
def test_the_page_holds_sample_grids_up_to_a_size(mib, held, three):
    found = read_page(three, embed=mib)
    assert [sorted(run["embedded"], key=int) for run in found.data["runs"][:2]] == held
    assert found.data["runs"][0]["folder"] == "runs/a/samples/"
    assert found.data["runs"][0]["images"][1] == [5, "step_00000005.png"]


def test_the_last_grids_come_first(three):
    size = (three / "b" / "samples" / "step_00000010.png").stat().st_size * 4 / 3
    found = read_page(three, embed=2.5 * size / 2**20)
    assert [list(run["embedded"]) for run in found.data["runs"]] == [["10"], ["10"], []]


def test_broken_runs_are_named_and_the_others_shown(three):
    (three / "a" / "config.json").write_text("{")
    (three / "b" / "config.json").unlink()
    (three / "b" / "metrics.jsonl").write_text('{"step": 1}\nnot json\n{"step"')
    make_run(three / "d", {})
    shutil.copytree(three / "d", three / "e")
    (three / "e" / "metrics.jsonl").unlink()
    (three / "e" / "metrics.jsonl").mkdir()

    def complete(config):
        raise InputError("no task 'gan'")

    notes = {run.name: run.notes for run in read_all(three, complete)}
    version = "config of another version: no task 'gan'"
    assert notes == {
        "a": ("config.json is unreadable or has no config",),
        "b": ("no config.json",),
        "d": (version, "nothing is logged"),
        "deep/c10": (version,),
        "e": (version, "metrics.jsonl cannot be read: Is a directory"),
    }
    found = read_page(three)
    assert len(found.lines) == 5
    assert any(name.startswith("e (metrics.jsonl cannot be read") for name in found.table)


def test_an_older_run_is_compared_at_the_defaults_of_its_task(tmp_path):
    """`completed` adds keys that a task got later, so that only what was chosen differs."""
    from helpers import config_of

    from genjax.run.restore import completed

    now = config_of("gan").to_dict()
    old = {key: value for key, value in now.items() if key != "log"}
    make_run(tmp_path / "runs" / "new", now)
    make_run(tmp_path / "runs" / "old", old)
    recorded = read_all(tmp_path / "runs", completed)
    assert recorded[0].config == recorded[1].config
    assert recorded[1].notes == ("nothing is logged",)


# -- the command


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--runs=none/there"], "--runs=none/there: no such folder"),
        (["--runs=configs"], "--runs=configs holds no run"),
        (["--runs=configs", "--out=page.txt"], "--out=page.txt: expected a .html"),
        (["--runs="], "--runs is empty"),
        (["--runs=configs", "--watch=-1"], "watch"),
    ],
)
def test_mistakes_are_a_line(flags, message):
    run_command("genjax.compare", *flags).assert_refused(message)


def test_the_command_writes_a_page_of_the_runs_it_is_given(three, tmp_path):
    out = tmp_path / "there" / "page.html"
    done = run_command("genjax.compare", f"--runs={three}/a,{three}/deep/c10", f"--out={out}")
    assert done.code == 0, done.err
    found = Reader(out.read_text())
    assert [run["name"] for run in found.data["runs"]] == [f"{three}/a", f"{three}/deep/c10"]
    assert found.links == {1: "../runs/a/report.html"}


def test_watching_writes_the_page_when_a_run_has_news(three, tmp_path, monkeypatch):
    monkeypatch.setattr(compare, "FLAGS", SimpleNamespace(runs=[str(three)], embed=1.0))
    out, known = tmp_path / "page.html", {}
    compare._write(out, known, 7)
    assert Reader(out.read_text()).data["reload"] == 7
    out.write_text("as it was")
    compare._write(out, known, 7)
    assert out.read_text() == "as it was"
    with open(three / "deep" / "c10" / "metrics.jsonl", "a") as file:
        file.write('{"step": 10, "seconds": 2.0, "loss": 2.0}\n')
    compare._write(out, known, 7)
    assert Reader(out.read_text()).table["deep/c10 (no report.html)"]["steps"] == "10"


# -- the script, where there is a browser


BROWSER = next(filter(shutil.which, ("chromium", "chromium-browser", "google-chrome")), None)


@pytest.mark.skipif(not BROWSER, reason="no Chromium")
@pytest.mark.parametrize(
    ("state", "names"),
    [
        ("filter=R1", ["r1", "r10"]),
        ("filter=rate%3E%3D0.20+r&sort=rate&down=1", ["r10", "r3", "r2"]),
        ("sort=rate&down=1", ["r10", "r3", "r2", "r1", "r0", "r9"]),  # r9 has no rate
        ("sort=rate", ["r0", "r1", "r2", "r3", "r10", "r9"]),
    ],
)
def test_the_page_filters_and_sorts(state, names, tmp_path):
    for number in (0, 1, 2, 3, 9, 10):
        rate = {"rate": number / 10} if number != 9 else {}
        make_run(tmp_path / "runs" / f"r{number}", rate, [{"step": 1, "loss": 1.0}], [0])
    (tmp_path / "page.html").write_bytes(page.make(read_all(tmp_path / "runs"), tmp_path / "page.html"))
    flags = ("--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000", "--dump-dom")
    address = f"file://{tmp_path}/page.html#{state}"
    profile = f"--user-data-dir={tmp_path}/profile"
    done = subprocess.run([BROWSER, *flags, profile, address], capture_output=True, text=True, timeout=300)
    body = done.stdout.split("<tbody>")[1].split("</tbody>")[0]
    lines = [line for line in body.split("<tr ")[1:] if "hidden" not in line.split(">")[0]]
    assert [line.split('scope="row" data-v="')[1].split('"')[0] for line in lines] == names
    assert f"{len(names)} of 6 runs" in done.stdout
    assert done.stdout.count("<figure>") == len(names)
