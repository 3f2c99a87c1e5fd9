"""Sheets of trained runs: what they show, from the seed alone; refusals; genjax.rate as typed."""

import base64
import io
import json
import re
import shutil

import numpy as np
import pytest
from helpers import config_of, run
from PIL import Image

from genjax import rating
from genjax.errors import InputError
from genjax.evaluation.of_run import Choices
from genjax.evaluation.sources import open_images
from genjax.report.rating.key import ONE, REAL, decoded
from genjax.run.loaded import open_run
from genjax.run.recorder import Recorder
from genjax.run.training import train

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs: one of a GAN of clothes, and the same by another name."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Recorder, "report", lambda self: None)
        assert train(config_of("gan", steps=1, sample_every=1, data__split="train[:40]"), folder / "a") == 0
    shutil.copytree(folder / "a", folder / "b")
    return [folder / "a", folder / "b"]


def parts(content):
    """The key of a page, and the images of its trials. Shapes: -> [trials, 1 or 2, H, W]."""
    data = json.loads(re.search('id="data">(.*?)</script>', content.decode())[1])
    images = [[np.asarray(Image.open(io.BytesIO(base64.b64decode(x)))) for x in row] for row in data["trials"]]
    return decoded(data["key"], data["sheet"]), np.array(images)


def test_pairs_are_a_sample_and_a_real_image_each(runs):
    content = rating.sheet(runs, count=6, seed=1)
    key, images = parts(content)
    assert rating.sheet(runs, count=6, seed=1) == content
    assert images.shape == (12, 2, 28, 28)
    real = {x.tobytes() for x in open_images("fashion_mnist_10k", "train[:40]").read(np.arange(40))}
    samples = {x.tobytes() for x in open_run(runs[0]).sample(np.arange(10_000))}
    by_run = {0: [], 1: []}
    shown = [x[side].tobytes() for x, (_, side) in zip(images, key.trials, strict=True)]
    assert len(set(shown)) == 12  # none is repeated
    assert set(shown) <= real
    for x, (number, side) in zip(images, key.trials, strict=True):
        by_run[number].append(x[1 - side].tobytes())
    assert len(by_run[0]) == 6
    assert set(by_run[0]) == set(by_run[1])  # the runs are equal, and so are the seeds
    assert set(by_run[0]) <= samples
    assert {side for _, side in key.trials} == {0, 1}


def test_single_images_are_half_of_them_real(runs):
    key, images = parts(rating.sheet(runs, Choices(reference="fashion_mnist_10k", split="test"), count=5, ask=ONE))
    assert images.shape == (20, 1, 28, 28)
    assert sorted(number for number, _ in key.trials) == [REAL] * 10 + [0] * 5 + [1] * 5
    assert key.reference["split"] == "test"


def test_refusals(runs, tmp_path):
    with pytest.raises(InputError, match="names a run twice"):
        rating.sheet([*runs, runs[0]])
    with pytest.raises(InputError, match=r"are 60: fashion_mnist_10k .* has 40"):
        rating.sheet(runs, count=30)
    with pytest.raises(InputError, match="at most 10,000"):
        rating.sheet(runs, count=10_001)
    for seconds in (float("inf"), float("nan"), -1.0):
        with pytest.raises(InputError, match="for no limit"):
            rating.sheet(runs, seconds=seconds)
    with pytest.raises(InputError, match="is not a run's folder"):
        rating.sheet([tmp_path])
    shutil.copytree(runs[0], tmp_path / "larger")
    info = json.loads((tmp_path / "larger" / "config.json").read_text())
    info["data"]["shape"] = [32, 32, 1]
    (tmp_path / "larger" / "config.json").write_text(json.dumps(info))
    with pytest.raises(InputError, match="one shape"):
        rating.sheet([runs[0], tmp_path / "larger"])


def test_the_command_as_typed(runs, tmp_path):
    page = tmp_path / "sheet.html"
    both = ",".join(map(str, runs))
    done = run("genjax.rate", f"--runs={both}", "--count=2", "--seconds=1", f"--out={page}")
    assert done.code == 0, done.err
    key, _ = parts(page.read_bytes())
    answers = {"genjax": "rating", "version": 1, "sheet": key.sheet, "seed": 0, "rater": "r", "key": key.encoded()}
    answers["answers"] = [[1 - side if number else side, 5] for number, side in key.trials]  # the second deceives
    (tmp_path / "answers.json").write_text(json.dumps(answers))
    done = run("genjax.rate", f"--score={tmp_path / 'answers.json'}", f"--out={tmp_path / 'rates.json'}")
    assert done.code == 0, done.err
    rows = [line.split() for line in done.out.splitlines()[2:4]]
    assert [row[:4] for row in rows] == [[str(runs[0]), "2", "0", "0"], [str(runs[1]), "2", "2", "1"]]
    assert "Clopper" in done.out
    assert json.loads((tmp_path / "rates.json").read_text())["rates"][1]["rate"] == 1
    for flags, said in (
        ((), "give either --runs"),
        ((f"--runs={both}", "--score=x.json"), "give either --runs"),
        ((f"--runs={both}", "--out=x.png"), "expected a .html"),
        (("--score=none.json",), "cannot be read"),
    ):
        done = run("genjax.rate", *flags)
        assert done.code == 2
        assert said in done.err
        assert done.compiled == 0
