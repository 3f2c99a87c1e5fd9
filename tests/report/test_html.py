"""The page is one file that needs nothing else, whatever the run has."""

import json
import re
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from genjax.errors import InputError
from genjax.evaluation.metric import Value
from genjax.evaluation.protocol import Result
from genjax.evaluation.registry import METRICS
from genjax.files import append_line
from genjax.report import html


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "my run"
    (folder / "samples").mkdir(parents=True)
    about = {
        "config": {"task": "gan", "steps": 20, "note": "<script>alert(1)</script>", "loss": {"r1": 0.1}},
        "data": {"name": "folder:<b>", "split": "train", "size": 7, "shape": [8, 8, 1], "fingerprint": "f" * 64},
        "parameters": {"generator": 1234, "critic": 56},
        "versions": {"jax": "0.10.2"},
        "device": {"platform": "cpu", "kind": "cpu", "count": 1},
        "git": {"commit": "abc123", "dirty": False},
        "command": "python -m genjax.train --workdir='<x>'",
    }
    (folder / "config.json").write_text(json.dumps(about))
    rows = [{"step": s, "seconds": s / 2, "images_per_second": 100.0, "critic/loss": 1 / s} for s in (10, 20)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for step in (0, 10, 20):
        Image.fromarray(np.full((16, 16), step, np.uint8)).save(folder / "samples" / f"step_{step:08d}.png")
    return folder


def test_the_page_is_self_contained_and_escapes_everything(run):
    page = Page(html.write(run).read_text())
    assert "script" not in page.tags
    assert all(link.startswith("data:image/") for link in page.links)
    assert len(page.links) >= 4  # first and last grid, evolution, curves
    for fact in ("my run", "<script>alert(1)</script>", "folder:<b>", "abc123", "f" * 64, "0:10", "1,234", "0.10.2"):
        assert fact in page.text, fact


def test_the_name_of_the_folder_is_escaped(run):
    folder = run.rename(run.with_name("<script>x<script>"))
    page = Page(html.write(folder).read_text())
    assert "script" not in page.tags
    assert "<script>x<script>" in page.text


def test_broken_lines_and_values_that_are_not_finite_are_survived_and_shown(run):
    with open(run / "metrics.jsonl", "a") as file:
        file.write('{"step": 30, "critic/loss": NaN, "reconstruction/loss": 12.5}\n{"step": 40, "cri')
    text = Page(html.write(run).read_text()).text
    assert "nan" in text  # the last value of the loss
    assert "lowest, step 30" in text  # of the reconstruction loss
    assert "lowest, step 20" not in text  # the loss of a critic has no better direction
    (run / "config.json").write_text("{")
    assert "30 steps" in Page(html.write(run).read_text()).text


def best_steps(folder, *names):
    """The best step of each result that the page marks, by label; the numbers rise from step 10 to step 20."""
    protocol = {"metric": "m", "settings": {}}
    for step, number in ((10, 1.0), (20, 2.0)):
        for name in names:
            quantities = METRICS[name].quantities
            values = [Value(q.name, number, q.better, 0.5 if name == "kernel" else None) for q in quantities]
            row = Result(name, values, protocol | {"metric": name}, 1.0).row(step, None)
            append_line(folder / "metrics.jsonl", json.dumps(row, ensure_ascii=False))
    table = html.write(folder).read_text().split("<h2>Evaluation</h2>")[1].split("</table>")[0]
    _, *cells = re.findall(r"<tr><th>([^<]+)</th><td>([^<]*)</td><td>[^<]*</td><td>([^<]*)</td><td>", table)
    assert all((" ± 0.5" in value) == (label == "Kernel distance") for label, value, _ in cells)
    return {unescape(label): int(best.rpartition(" ")[2]) if best else None for label, _, best in cells}


@pytest.mark.heavy
def test_the_best_step_of_a_result_is_marked_by_its_own_direction(run):
    best = best_steps(run, *METRICS)
    lower = 10
    higher = 20
    expected = {
        "Fréchet distance": lower,
        "Kernel distance": lower,
        "Inception score": higher,
        "Precision": higher,
        "Coverage": higher,
        "Classes of {classes}": higher,
        "Divergence of classes in nats": lower,
        "Divergence of modes in nats": lower,
        "Sliced Wasserstein distance": lower,
        "MS-SSIM of pairs of samples": None,  # compared with the reference's
        "MS-SSIM of pairs of the reference": None,
        "MS-SSIM of pairs, distance from the reference's": lower,
        "Copies of the reference": lower,
        "Nearest neighbor of samples, median distance": None,  # compared with that of held-out examples
        "Perceptual path length ({distance}; {space}, full)": lower,
        "Accuracy": higher,
        "Reconstruction, binary cross-entropy": lower,
        "Reconstruction, mean squared error": lower,
        "Reconstruction, PSNR in decibels": higher,
        "Reconstruction, SSIM": higher,
        "Evidence lower bound in nats": higher,
        "Importance-weighted bound in nats": higher,
    }
    assert {label: best[label] for label in expected} == expected


def test_metrics_of_training_have_their_direction_from_one_table(run):
    for step in (30, 40):
        row = {"step": step, "seconds": step, "codes/perplexity": 2.0 * step, "loss": 3.0 * step}
        append_line(run / "metrics.jsonl", json.dumps(row | {"generator/loss": 1.0 * step}))
    text = Page(html.write(run).read_text()).text
    assert "codes/perplexity80highest, step 40" in text
    assert "loss90lowest, step 30" in text
    assert "generator/loss30" not in text


def test_the_report_imports_no_jax():
    code = "import sys, genjax.report.html; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_wide_images_get_the_whole_width(run):
    assert 'class="samples n3"' in html.write(run).read_text()
    for path in (run / "samples").iterdir():
        Image.fromarray(np.zeros((8, 32), np.uint8)).save(path)
    assert 'class="samples"' in html.write(run).read_text()


@pytest.mark.parametrize("missing", ["config.json", "metrics.jsonl", "samples"])
def test_what_a_run_lacks_is_left_out(run, missing):
    path = run / missing
    if path.is_dir():
        for file in path.iterdir():
            file.unlink()
        path.rmdir()
    else:
        path.unlink()
    assert "my run" in Page(html.write(run).read_text()).text


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no run"):
        html.write(tmp_path)
