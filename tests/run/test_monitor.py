"""What a run warns of: closed forms of the diversity, recorded runs that are sound or not, and runs that go on."""

import json
import re

import numpy as np
import pytest
from helpers import assert_same, config_of, ending, rows

from genjax import tasks
from genjax.config import flat
from genjax.data.source import in_memory
from genjax.data.synthetic import mixture
from genjax.report import curves, html
from genjax.run.monitor import DIVERSITY, MAX_COMPARED, REMEDIES, WARNINGS, Monitor, diversity
from genjax.run.recorder import Recorder
from genjax.run.records import read_metrics
from genjax.run.training import train


def images(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 4, 4, 1), np.uint8)


def source(x, mixture=None):
    return in_memory("some", "train", x, None, mixture=mixture)


# -- diversity


def test_the_data_themselves_have_all_of_it():
    x = images(64)
    assert diversity(source(x), 64)(x[::-1]) == pytest.approx(1, abs=1e-12)
    assert diversity(source(images(1000)), 64)(images(64, seed=1)) == pytest.approx(1, abs=0.1)


def test_examples_that_are_all_the_same_have_none():
    assert diversity(source(images(64)), 64)(np.repeat(images(1), 64, axis=0)) == 0


def test_copies_of_half_of_the_examples_have_half():
    measure, x = diversity(source(images(1000)), 64), images(64, seed=1)
    copied = np.concatenate([x[:32], np.repeat(x[:1], 32, axis=0)])  # with the first, 33 have a neighbor at zero
    assert measure(copied) == pytest.approx(31 / 64, abs=0.05)


def test_examples_at_half_the_contrast_have_half():
    x = images(64) // 2 * 2
    assert diversity(source(x), 64)(x // 2) == pytest.approx(0.5, abs=1e-12)


@pytest.mark.parametrize(("name", "modes"), [("ring8", 8), ("ring8", 4), ("ring8", 1), ("grid25", 5)])
def test_of_a_mixture_it_is_the_share_of_modes_however_blurred(name, modes):
    points = mixture(name)
    x = np.repeat(points.centers[:modes], 40, axis=0) + 0.1 * np.random.default_rng(0).standard_normal((40 * modes, 2))
    assert diversity(source(points.centers, points), 64)(x) == pytest.approx(modes / len(points.centers), abs=1e-12)


def test_data_fewer_than_the_examples_are_met_by_as_many():
    x = images(5)
    assert diversity(source(x), 64)(np.concatenate([x, x, x])) == pytest.approx(1, abs=1e-12)


def test_a_large_grid_is_not_compared_whole():
    x = images(MAX_COMPARED)
    assert diversity(source(x), 10 * MAX_COMPARED)(np.concatenate([x, x])) == pytest.approx(1, abs=1e-12)


def test_where_there_is_nothing_to_compare_there_is_none():
    assert diversity(source(images(9)), 1)(images(1)) is None
    assert diversity(source(images(1)), 9)(images(9)) is None
    assert diversity(source(np.zeros((9, 4, 4, 1), np.uint8)), 9)(images(9)) is None
    ring = mixture("ring8")
    assert diversity(source(ring.centers, ring), 9)(np.full((9, 2), np.inf)) is None


# -- when it speaks


def said(*rows):
    """(row, "warning" or "", the line) of all that is said of rows 1, 2, ..."""
    monitor = Monitor("gan")
    return [
        (i, line.partition(": ")[0] * line.startswith("warning"), line)
        for i, row in enumerate(rows, 1)
        for line in monitor.read({"step": i, **row})
    ]


def when(*rows):
    return [(i, kind) for i, kind, _ in said(*rows)]


def varied(*values):
    return [{DIVERSITY: value} for value in values]


def judged(*losses, margin=12.0):
    return [{"critic/loss": loss, "critic/real": margin, "critic/fake": 0.0} for loss in losses]


# Recorded every 50 steps (wgan_gp: 10) or at every image, to two digits.
SOUND = {
    "gan": varied(0.48, 0.54, 0.57, 0.63, 0.74, 0.78, 0.76, 0.79, 0.82, 0.83, 0.95, 0.89, 0.94),
    "dcgan": varied(0.36, 0.86, 1.05, 1.12, 1.15, 1.12, 1.21, 1.17, 1.12, 1.11),
    "wgan_gp": varied(0.31, 0.46, 0.6, 0.65, 0.72, 0.8),
    "noise first": varied(1.8, 1.2, 0.7, 0.6, 0.8),
    "a critic that wins at first": judged(0.35, 0.0078, 0.057, 0.3, 0.5),
    "a critic 100 times as fast": [
        {"critic/loss": c, "generator/loss": g}
        for c, g in zip(
            (590, 24, 12, 13, 5.9, 13, 10, 7.3, 6.3, 4, 4.5, 3.5, 3.8, 3.6, 3.9),
            (4300, 40, 6.8, 11, 6.2, 16, 25, 53, 13, 7.7, 6.8, 7.9, 8.7, 7.4, 7),
            strict=True,
        )
    ],
    "wgan_gp's losses": judged(1.4, -19, -22, -23, -21, -19, -19, -17, -16, -15, -15, -13, -12, -12, -11),
    "wasserstein from zero": judged(*(-20 * (1 - 0.9**i) for i in range(60)), margin=0.3),
    "wasserstein through zero": judged(0.02, 0.008, 0.004, 0.001, -0.003, margin=0.02),
    "wasserstein without a penalty": judged(
        *(-89.0, 4.2, -18.0, -38.0, -82.0, -22.0, -91.0, -27.0, -63.0, -29.0, -65.0, -77.0, -97.0, -150.0, -110.0),
        *(-160.0, -200.0, -83.0, -270.0, -310.0, -250.0, -470.0, -430.0, -750.0, -1000.0, -650.0, -870.0, -1100.0),
    ),
    "a loss that falls": [{"loss": 500 * 0.9**i} for i in range(40)],
}


@pytest.mark.parametrize("name", SOUND)
def test_sound_runs_are_left_in_peace(name):
    assert said(*SOUND[name]) == []


def test_modes_that_vanish_are_said_once_and_again_when_they_are_back():
    found = said(*varied(0.4, 0.8, 0.79, 0.3, 0.2, 0.05, 0.5, 0.7, 0.8))
    assert [(i, kind) for i, kind, _ in found] == [(4, "warning"), (8, "")]
    begin, end = (line for *_, line in found)
    assert begin.startswith("warning: step 4: samples have 0.30 of the data's diversity, after 0.80: modes are vanish")
    assert end == "step 8: samples have 0.70 of the data's diversity again"


@pytest.mark.parametrize(
    ("task", "remedy"),
    [
        ("gan", "lower the learning rates, or set penalty.r1"),
        ("vae", "increase latent, or lower elbo.beta"),
        ("another", "lower the learning rates"),
    ],
)
def test_what_to_do_about_modes_is_what_the_task_can_do(task, remedy):
    ((line,),) = filter(None, map(Monitor(task).read, ({"step": i, DIVERSITY: 0.1} for i in range(5))))
    assert line.endswith(f"modes are missing; {remedy}")


def test_modes_that_never_were_are_given_time():
    assert when(*varied(0.01, 0.1, 0.2, 0.35)) == []
    assert when(*varied(0.01, 0.1, 0.05, 0.01, 0.0)) == [(4, "warning")]
    assert when(*varied(0.31, 0.29, 0.31, 0.25, 0.36, 0.42, 0.46, 0.55)) == [(4, "warning"), (7, "")]


def test_a_critic_that_tells_every_fake_is_said_once_whatever_single_rows_do():
    weak = (0.11, 0.087, 8.7e-4, 1.7e-4, 4.1e-5, 4.2e-5, 0.15, 3.4e-4, 0.049, 1.5e-3, 7.1e-5, 0.11, 8.3e-5, 3.3e-5)
    assert when(*judged(*weak)) == [(5, "warning")]
    assert when(*judged(*weak, 0.3, 0.4, 0.5, 0.5)) == [(5, "warning"), (17, "")]


def test_a_loss_that_grows_exponentially_is_said_once():
    grown = [{"generator/loss": 0.7 + 0.01 * 2**i} for i in range(30)]
    (row, kind, line), *more = said(*grown)
    assert kind == "warning"
    assert not more
    assert row < 25
    assert "generator/loss grows without bound" in line
    assert when(*grown, *[{"generator/loss": 1.0}] * 2) == [(row, kind), (31, "")]
    doomed = (606, 97, 53, 16, 30, 104, 114, 377, 251, 294, 67, 21, 143, 83, 94, 122, 225, 466, 573, 832, 1250, 1570)
    doomed += (1720, 1260, 711, 1220, 2560, 3900, 3530, 5130, 8920, 20600)  # and then infinite
    ((row, kind),) = when(*({"generator/loss": -float(value)} for value in doomed))
    assert kind == "warning"
    assert row < len(doomed)
    assert when({"loss": -7.8e22}, {"loss": -2.2e13}, {"loss": -2.2e13}) == [(1, "warning")]


def test_rows_of_others_are_passed_over():
    assert said({"evaluation": {"loss": 1e9}}, {"val/loss": None}, {WARNINGS: ["x"]}) == []


# -- in a run


@pytest.fixture(scope="module")
def config():
    """Makes a config whose samples differ by little; a row and an image at each step."""

    def make(steps):
        given = {"steps": steps, "log_every": 1, "sample_every": 1, "save_every": 5, "samples": 9}
        return config_of("gan", generator__kernel_init="normal", **given)

    return make


@pytest.fixture(scope="module")
def whole(config, tmp_path_factory):
    """The folder of a run that warns."""
    path = tmp_path_factory.mktemp("whole")
    assert train(config(5), path) == 0
    return path


@pytest.mark.heavy
def test_a_run_warns_in_its_row_and_on_its_page(whole):
    found = rows(whole)
    assert [row["step"] for row in found] == [1, 2, 3, 4, 5]
    assert all(0 <= row[DIVERSITY] < 0.2 for row in found)
    ((line,),) = (row[WARNINGS] for row in found if WARNINGS in row)
    assert line.startswith("warning: step 4: samples have 0.")
    page = (whole / "report.html").read_text()
    assert page.index("<h2>Warnings</h2>") < page.index("<h2>Samples</h2>")
    assert "<li>Step 4: samples have 0." in page


@pytest.mark.heavy
def test_a_run_that_was_stopped_before_and_after_a_warning_says_it_once(config, whole, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Recorder, "report", lambda self: None)
    for steps in (3, 4, 5):
        assert train(config(steps), tmp_path, force=True) == 0
    assert_same(ending(tmp_path), ending(whole))
    assert [line[:16] for line in capsys.readouterr().err.splitlines() if "warning" in line] == ["warning: step 4:"]


def test_the_page_escapes_warnings_and_is_drawn_without_them_too(tmp_path):
    lines = [{"step": 1, "loss": 1.0}, {"step": 2, "loss": 2.0, WARNINGS: ["warning: step 2: <b>", "step 2: again"]}]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in lines))
    page = html.write(tmp_path).read_text()
    assert "<li>Step 2: &lt;b&gt;</li><li>Step 2: again</li>" in page
    assert read_metrics(tmp_path / "metrics.jsonl") == lines
    assert list(curves.series_of(lines)) == ["loss"]
    (tmp_path / "metrics.jsonl").write_text(json.dumps(lines[0]))
    assert "Warnings" not in html.write(tmp_path).read_text()


@pytest.mark.parametrize("task", REMEDIES)
def test_advice_names_keys_of_the_tasks_config(task):
    keys = flat(tasks.default_config(task))
    named = re.findall(r"\w+\.\w+", REMEDIES[task])
    assert named
    assert set(named) <= set(keys)
