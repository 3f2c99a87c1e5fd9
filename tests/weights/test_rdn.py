"""A published net that enlarges images makes its published images; other and damaged files are refused."""

import json
import shutil
from pathlib import Path

import jax
import numpy as np
import pytest
from helpers import run
from PIL import Image

import genjax
from genjax.data.translation import repeated
from genjax.errors import InputError
from genjax.nets.rdn import ResidualDense
from genjax.ops.pixels import quantize
from genjax.weights import rdn

PUBLISHED = Path(__file__).parent / "esrgan_slim"


def pixels(name):
    return np.asarray(Image.open(PUBLISHED / name).convert("RGB"))


@pytest.mark.heavy
def test_the_published_image_is_made_to_within_a_gray_level():
    net = rdn.read(PUBLISHED / "model.json")
    assert net.fields == {"scale": 2, "blocks": 2, "convs": 1, "growth": 4, "width": 64}
    assert sum(leaf.size for leaf in jax.tree.leaves(net.variables)) == 222_075
    x = repeated(pixels("fixture.png")[None], 2)
    y = ResidualDense(net.colors, **net.fields).apply(net.variables["generator"], x / np.float32(255))
    difference = np.abs(quantize(255 * np.asarray(y[0])).astype(int) - pixels("result.png"))
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-3


@pytest.mark.heavy
def test_a_converted_net_enlarges_files(tmp_path):
    path = PUBLISHED / "model.json"
    done = run("genjax.convert", f"--file={path}", f"--out={tmp_path / 'run'}", "--license=MIT, Kevin Scott")
    assert done.code == 0, done.err
    assert "enlarges images 2 times" in done.out
    assert "genjax.translate" in done.out
    assert genjax.load(tmp_path / "run").config.data.name == "small2:emoji_64"
    corner = Image.open(PUBLISHED / "fixture.png").crop((0, 0, 40, 40))
    corner.save(tmp_path / "corner.png")
    where = [f"--workdir={tmp_path / 'run'}", f"--images={tmp_path / 'corner.png'}", f"--out={tmp_path / 'big.png'}"]
    assert run("genjax.translate", *where).code == 0
    made, inside = np.asarray(Image.open(tmp_path / "big.png").convert("RGB")), slice(0, 80 - 2 * 12)
    assert made.shape == (80, 80, 3)
    expected = pixels("result.png")[inside, inside]  # twelve pixels from the crop's border, beyond the net's reach
    assert np.abs(made[inside, inside].astype(int) - expected).max() <= 1
    config = f"--config={tmp_path / 'run'}"
    refused = run("genjax.train", config, f"--workdir={tmp_path / 'x'}", "--config.data.name=small4:emoji_64")
    refused.assert_refused("generator.scale=2, but the inputs of small4:emoji_64 are images 4 times smaller")


def change(folder, edit):
    """A copy of the model with another manifest."""
    shutil.copytree(PUBLISHED, folder / "copy")
    path = folder / "copy" / "model.json"
    model = json.loads(path.read_text())
    edit(model, model["weightsManifest"][0])
    path.write_text(json.dumps(model))
    return path


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda m, g: m.update(format="graph-model"), "is damaged, or not a layers model"),
        (lambda m, g: m.pop("weightsManifest"), "is damaged, or not a layers model"),
        (lambda m, g: g.update(paths=["../model.json"]), "which does not lie beside it"),
        (lambda m, g: g.update(paths=["absent.bin"]), "absent.bin cannot be read"),
        (lambda m, g: g["weights"].pop(), "bytes, and its arrays"),
        (lambda m, g: g["weights"][0].update(dtype="uint8"), "no float32"),
        (lambda m, g: g["weights"][0].update(quantization={"dtype": "uint8"}), "is quantized"),
        (lambda m, g: g["weights"][0].update(shape=[-1, 9]), "has shape"),
        (lambda m, g: g["weights"][0].update(name="other/kernel"), "expected architecture rdn"),
        (lambda m, g: g["weights"][0].update(shape=[9, 1, 64, 64]), "as a residual dense net"),
    ],
)
def test_other_models_are_refused(tmp_path, edit, message):
    path = change(tmp_path, edit)
    with pytest.raises(InputError, match=message):
        rdn.read(path)


def test_weights_that_are_not_finite_are_refused(tmp_path):
    path = change(tmp_path, lambda model, group: None)
    shard = path.with_name("group1-shard1of1.bin")
    shard.write_bytes(np.float32(np.nan).tobytes() + shard.read_bytes()[4:])
    with pytest.raises(InputError, match="not finite"):
        rdn.read(path)
