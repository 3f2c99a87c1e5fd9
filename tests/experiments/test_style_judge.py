"""The judge of style transfer: its measures at their ends, and its table and pictures."""

import numpy as np
import pytest
from helpers import run
from PIL import Image

from experiments.style.judge import judgment
from genjax.data.textures import draw
from genjax.weights import encoders


@pytest.fixture(scope="module")
def images():
    return [np.float32(draw(number, 64))[None] for number in (0, 1)]


def test_a_style_is_all_there_or_not_at_all(images):
    content, style = images
    encoder = encoders.load("random")
    kept = judgment(encoder, content, style, content)
    np.testing.assert_allclose([kept[layer] for layer in encoder.gatys_style], 1, rtol=1e-5)
    np.testing.assert_allclose(kept["content"], 1, rtol=1e-5)
    replaced = judgment(encoder, content, style, style)
    np.testing.assert_allclose([replaced[layer] for layer in encoder.gatys_style], 0, atol=1e-6)
    assert replaced["content"] < 0.8 * kept["content"]


def test_content_does_not_depend_on_the_scale_of_maps(images):
    content, style = images
    encoder = encoders.load("squeezenet")
    scaled = encoder._replace(apply=lambda *args: {name: 3 * x for name, x in encoder.apply(*args).items()})
    given = [judgment(net, content, style, 255 - content)["content"] for net in (encoder, scaled)]
    np.testing.assert_allclose(*given, rtol=0.01)


@pytest.mark.heavy
def test_it_prints_a_table_and_draws_each_content(tmp_path):
    for folder, number in (("contents", 0), ("styles", 1)):
        (tmp_path / folder).mkdir()
        Image.fromarray(draw(number, 64)).save(tmp_path / folder / f"{number}.png")
    places = [f"--{name}={tmp_path / name}" for name in ("contents", "styles", "out")]
    done = run("experiments.style.judge", *places, "--size=64")
    assert done.code == 0, done.err
    for text in ("packaged", "style, fire6", "content, fire5"):
        assert text in done.out
    with Image.open(tmp_path / "out" / "000_0.png") as image:
        assert image.height > image.width
    refused = run("experiments.style.judge", f"--runs={tmp_path}", *places)
    assert refused.code == 2
    assert "not a run's folder" in refused.err
