"""The sheet for human raters: its key is encoded, its answers are checked, and a rater of known skill scores it."""

import dataclasses
import json
import re
import time

import numpy as np
import pytest
from browser import BROWSER, browser

from genjax import rating
from genjax.errors import InputError
from genjax.report.rating import answers, page
from genjax.report.rating.key import ONE, PAIR, REAL, Key, decoded

RUNS = [{"name": "runs/good", "step": 3}, {"name": "runs/bad", "step": 4}]
LEVELS = {REAL: 220, 0: 120, 1: 40}
"""Gray levels of images, by which the scripted rater knows them."""


def sheet(ask=PAIR, trials=None, seed=0, seconds=0.0):
    """A key, and the images of its trials."""
    if trials is None:
        trials = [[0, 0], [0, 1], [1, 1], [1, 0]] if ask == PAIR else [[0, 0], [REAL, 0], [1, 0], [REAL, 0]]
    levels = [[LEVELS[run]] if ask == ONE else [LEVELS[(REAL, run)[i != side]] for i in (0, 1)] for run, side in trials]
    images = [np.array(row, np.uint8)[:, None, None, None] + np.zeros((1, 4, 4, 1), np.uint8) for row in levels]
    reference = {"name": "clothes", "split": "train"}
    return Key(seed, ask, seconds, RUNS, reference, "0" * 64, trials), images


def write(path, key, choices, rater="r", changes=()):
    """A file of answers, as the page saves it."""
    saved = {"genjax": "rating", "version": 1, "sheet": key.sheet, "seed": key.seed, "rater": rater, "name": ""}
    saved |= {"answers": [None if c is None else [c, 700] for c in choices], "key": key.encoded()} | dict(changes)
    path.write_text(json.dumps(saved))
    return str(path)


def test_a_key_survives_its_code_and_says_nothing_at_a_glance():
    key, images = sheet()
    content = page.make(key, images).decode()
    data = json.loads(re.search('id="data">(.*?)</script>', content)[1])
    assert decoded(data["key"], data["sheet"]) == key
    assert "runs/good" not in content
    assert "clothes" not in content
    other, _ = sheet(seed=1)
    assert other.sheet != key.sheet
    with pytest.raises(InputError, match="damaged or of another sheet"):
        decoded(data["key"], other.sheet)


def test_a_page_needs_nothing_from_elsewhere():
    content = page.make(*sheet()).decode()
    assert not re.findall(r"https?://|url\(|<link|src=(?!\")", content)


def test_rates_of_pairs_by_hand(tmp_path):
    key, _ = sheet()  # the real image is left, right, right, left
    first = write(tmp_path / "a.json", key, [0, 0, 1, None])  # right, deceived, right, none
    second = write(tmp_path / "b.json", key, [1, 0, 0, 0], "s")  # deceived, deceived, deceived, right
    _, (good, bad) = rating.score([first, second])
    assert (good.name, good.trials, good.deceived) == ("runs/good", 4, 3)
    assert (bad.trials, bad.deceived) == (3, 1)
    assert good.low < good.rate == 0.75 < good.high


def test_rates_of_single_images_by_hand(tmp_path):
    key, _ = sheet(ONE)
    _, rates = rating.score([write(tmp_path / "a.json", key, [1, 1, 0, 0])])
    assert [(rate.name, rate.trials, rate.deceived) for rate in rates] == [
        ("runs/good", 1, 1),
        ("runs/bad", 1, 0),
        ("real: clothes", 2, 1),
    ]
    assert json.dumps(rating.as_json(key, rates, 1), allow_nan=False)


def test_sheets_of_different_seeds_are_not_compared(tmp_path):
    a = write(tmp_path / "a.json", sheet(seed=3)[0], [0] * 4)
    b = write(tmp_path / "b.json", sheet(seed=4)[0], [0] * 4, "s")
    with pytest.raises(InputError, match="different seeds, 3 and 4"):
        rating.score([a, b])
    b = write(tmp_path / "b.json", sheet(seed=3, seconds=1.0)[0], [0] * 4, "s")
    with pytest.raises(InputError, match="different sheets"):
        rating.score([a, b])
    with pytest.raises(InputError, match="of one rater"):
        rating.score([a, write(tmp_path / "c.json", sheet(seed=3)[0], [0] * 4)])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"genjax": "x"}, "no answers"),
        ({"version": 2}, "version 2"),
        ({"key": "AAAA"}, "damaged"),
        ({"key": None}, "damaged"),
        ({"key": "é"}, "damaged"),
        ({"answers": [[0, 1]]}, "1 answers to 4"),
        ({"answers": None}, "no list"),
        ({"answers": [[2, 1]] * 4}, r"\[2, 1\]"),
        ({"answers": [[True, 1]] * 4}, r"\[True, 1\]"),
        ({"answers": [0] * 4}, "is 0"),
    ],
)
def test_files_that_are_no_answers_are_refused(changes, said, tmp_path):
    path = write(tmp_path / "a.json", sheet()[0], [0] * 4, changes=changes)
    with pytest.raises(InputError, match=said) as error:
        answers.read(path)
    assert path in str(error.value)


def test_other_files_are_refused(tmp_path):
    for content in (b"", b"\xff\xfe", b"[" * 100_000, b"[]"):
        (tmp_path / "x.json").write_bytes(content)
        with pytest.raises(InputError, match=r"expected the \.json"):
            answers.read(str(tmp_path / "x.json"))
    with pytest.raises(InputError, match="No such file"):
        answers.read(str(tmp_path / "none.json"))


def test_a_key_that_was_edited_is_refused(tmp_path):
    key, _ = sheet()
    edited = dataclasses.replace(key, trials=key.trials[::-1])
    with pytest.raises(InputError, match="damaged"):
        answers.read(write(tmp_path / "a.json", key, [0] * 4, changes={"key": edited.encoded()}))


# -- the script, where there is a browser

RATER = """(async () => {
  // Calls the brighter image real in a share of the trials that depends on the darkest image; with its own seed.
  let state = 7;
  const random = () => { state = (state * 1664525 + 1013904223) % 2 ** 32; return state / 2 ** 32; };
  const level = (image) => {
    const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
    pen.drawImage(image, 0, 0, 1, 1);
    return pen.getImageData(0, 0, 1, 1).data[0];
  };
  const press = (key, init) => dispatchEvent(new KeyboardEvent("keydown", { key, ...init }));
  document.getElementById("begin").click();
  press("ArrowLeft");  // nothing is shown yet: no answer
  while (document.getElementById("end").hidden) {
    await new Promise((after) => setTimeout(after, 2));
    if (!open) continue;
    const levels = images.map(level), right = random() < SKILL[Math.min(...levels)];
    if (levels.length === 1) {
      document.querySelectorAll(".answer")[+((levels[0] > 200) === right)].click();
    } else {
      press(((levels[0] > levels[1]) === right) ? "ArrowLeft" : "ArrowRight");
      press("ArrowRight", { repeat: true });  // a key that is held down is one answer
      press("ArrowRight");  // the next images are not shown yet
    }
  }
})()"""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """A page of a browser."""
    if not BROWSER:
        pytest.skip("no Chromium")
    with browser(tmp_path_factory.mktemp("profile")) as page_of_browser:
        yield page_of_browser


def opened(chromium, folder, key, images, **how):
    """Open a sheet whose pauses between trials are short."""
    content = page.make(key, images).decode()
    assert "const BLANK = 300;" in content
    (folder / "sheet.html").write_text(content.replace("const BLANK = 300;", "const BLANK = 5;"))
    chromium.downloads_to(folder)
    chromium.open(folder / "sheet.html", **how)


def saved(chromium, folder):
    """The file that the page's button saves."""
    chromium.run("document.getElementById('save').click()")
    for _ in range(500):
        if files := list(folder.glob("answers*.json")):
            return files[0]
        time.sleep(0.01)
    raise AssertionError("nothing was saved")


@pytest.mark.parametrize(("ask", "skill"), [(PAIR, {120: 0.55, 40: 0.9}), (ONE, {120: 0.55, 40: 0.9, 220: 0.8})])
def test_the_interval_holds_the_skill_of_a_scripted_rater(ask, skill, chromium, tmp_path):
    rng = np.random.default_rng(0)
    runs = [0, 1] if ask == PAIR else [0, 1, REAL]
    trials = [[int(run), int(rng.integers(2)) if ask == PAIR else 0] for run in rng.permutation(runs * 60)]
    opened(chromium, tmp_path, *sheet(ask, trials))
    chromium.run(RATER.replace("SKILL", json.dumps(skill)))
    path = saved(chromium, tmp_path)
    _, rates = rating.score([path])
    assert [rate.trials for rate in rates] == [60] * len(runs)
    expected = [1 - skill[120], 1 - skill[40], skill.get(220)]
    for rate, share in zip(rates, expected, strict=False):
        assert rate.low <= share <= rate.high, (rate, share)
    assert {len(answer) for answer in json.loads(path.read_text())["answers"]} == {2}


def test_keys_stopping_and_going_on_after_the_page_was_closed(chromium, tmp_path):
    key, images = sheet(seed=5)
    opened(chromium, tmp_path, key, images, width=390, height=760, phone=True)
    assert chromium.run("document.getElementById('begin').textContent") == "Begin"
    chromium.run("$('rater').value = 'Äda 1/2'; $('begin').click()")
    chromium.run(SHOWN)
    assert chromium.run("document.documentElement.scrollWidth <= 390")
    chromium.press("ArrowRight")
    chromium.run(SHOWN.replace("open ?", "open && answered() ?"))
    chromium.open(tmp_path / "sheet.html", width=390, height=760, phone=True)
    assert chromium.run("$('begin').textContent") == "Go on after 1"
    chromium.run("$('begin').click()")
    chromium.run(SHOWN)
    chromium.press("ArrowLeft")
    chromium.run("$('stop').click()")
    path = saved(chromium, tmp_path)
    assert path.name == "answers_Äda_1_2.json"
    assert answers.read(str(path)).choices == [1, 0, None, None]
    assert chromium.run("$('summary').textContent") == "2 of 4 questions answered."


def test_images_are_hidden_after_their_time(chromium, tmp_path):
    opened(chromium, tmp_path, *sheet(seed=6, seconds=0.05))
    chromium.run("$('begin').click()")
    chromium.run(SHOWN)
    visible = "getComputedStyle(images[0]).visibility"
    assert chromium.run(f"new Promise(after => setTimeout(() => after({visible}), 200))") == "hidden"
    chromium.press("ArrowLeft")
    chromium.run(SHOWN)
    assert chromium.run("answered()") == 1


SHOWN = "new Promise(after => { const look = () => open ? after() : setTimeout(look, 2); look(); })"
"""Waits until the images of a trial are shown."""
