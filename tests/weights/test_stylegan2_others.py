"""Files of rosinality's stylegan2-pytorch and of flaxmodels give their nets: images and logits of the equations."""

import functools
import io
import zipfile

import numpy as np
import official_stylegan2 as official
import pytest
from official_stylegan2 import FILTER, LATENT, SIDE, images, judged, random_critic, random_generator
from pickling import Call, Name
from rosinality_stylegan2 import checkpoint, rosinality, save

from genjax.errors import InputError
from genjax.weights import any_file, stylegan2_flaxmodels, stylegan2_nvidia, stylegan2_rosinality

RNG = np.random.default_rng(6)
Z = RNG.standard_normal((2, LATENT)).astype(np.float32)
X = RNG.standard_normal((8, SIDE, SIDE, 3)).astype(np.float32)
READERS = (stylegan2_flaxmodels, stylegan2_rosinality, stylegan2_nvidia)

read = functools.partial(any_file.read, readers=READERS, expected="weights")
same = functools.partial(np.testing.assert_allclose, rtol=1e-6, atol=1e-6)  # demodulation's epsilon is at 1e-8


@pytest.mark.heavy
@pytest.mark.parametrize("legacy", [False, True])
def test_rosinalitys_images_and_logits_are_those_of_the_equations(legacy, tmp_path):
    weights = read(save(tmp_path / "x.pt", checkpoint(), legacy))
    assert weights.augmentation == (("blit", "geom", "color"), 0.2)
    assert "batch 16, r1 10.0" in "\n".join(weights.notes)
    same(images(weights, Z, psi=0.6), official.image(random_generator(0), Z, 0.6))
    if not legacy:
        same(images(weights, Z, "generator"), official.image(random_generator(2), Z))
        same(judged(weights, X), official.logits(random_critic(), X, 4))


def test_an_average_of_w_that_a_file_lacks_is_that_of_many_latents(tmp_path):
    weights = read(save(tmp_path / "x.pt", {"g_ema": rosinality(random_generator(0))}))
    assert "no average of w" in "\n".join(weights.notes)
    found = weights.variables["average"]["average"]["mapping"]["w_avg"]
    z = np.random.default_rng(1).standard_normal((40_000, LATENT))
    t = random_generator(0)
    w = z / np.sqrt((z**2).mean(1, keepdims=True))
    for i in range(official.LAYERS):
        w = official.activated(official.affine(t, f"mapping.fc{i}", w, 0.01))
    assert (np.abs(found - w.mean(0)) < 5 * w.std(0) * (1 / 10_000 + 1 / 40_000) ** 0.5).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"g_ema": {"conv1.conv.weight": np.ones((1, 6, 6, 3, 3), np.float32)}}, "g_ema: no tensor mapping.fc0.weight"),
        ({"g_ema": rosinality(random_generator()) | {"more": X}}, "g_ema: more has no place"),
        ({"g_ema": rosinality(random_generator()) | {"more": 3}}, "'more', which is no tensor"),
        ({"g_ema": rosinality(random_generator()) | {"to_rgbs.0.upsample.kernel": FILTER * 2}}, "is not that of"),
        ({"g_ema": 3}, "'g_ema' is no state dict"),
        ({"state_dict": {}}, "neither 'g_ema' nor 'g' is in it"),
        ({"g_ema": Call(Name("os", "mkdir"), "trace")}, "it names os.mkdir"),
    ],
)
def test_other_checkpoints_are_refused(change, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message):
        read(save(tmp_path / "x.pt", change))
    assert not (tmp_path / "trace").exists()


def test_a_compressed_archive_is_refused(tmp_path):
    data = save(tmp_path / "x.pt", checkpoint()).read_bytes()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(tmp_path / "x.pt", "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    with pytest.raises(InputError, match="its archive is compressed"):
        read(tmp_path / "x.pt")


def flaxmodels(path, t, **others):
    """A generator's file: kernels [H, W, I, O], those of doubling layers as the TensorFlow code has them."""
    h5py = pytest.importorskip("h5py")
    arrays = {"synthesis_network/const": t["synthesis.b4.const"].transpose(1, 2, 0)[None]}
    arrays |= {"mapping_network/w_avg": t["mapping.w_avg"]}
    for i in range(official.LAYERS):
        arrays |= {f"mapping_network/fc{i}/weight": t[f"mapping.fc{i}.weight"].T}
        arrays |= {f"mapping_network/fc{i}/bias": t[f"mapping.fc{i}.bias"]}
    for name in ("b4.conv1", "b4.torgb", *(f"b{s}.{part}" for s in (8, 16) for part in ("conv0", "conv1", "torgb"))):
        side, part = name[1:].split(".")
        own = {"conv0": "layer0", "conv1": "layer0" if side == "4" else "layer1", "torgb": "torgb"}[part]
        own, name = f"synthesis_network/block_{side}x{side}/{own}", f"synthesis.{name}"
        kernel = t[f"{name}.weight"].transpose(2, 3, 1, 0)
        arrays |= {f"{own}/conv/weight": kernel[::-1, ::-1] if part == "conv0" else kernel}
        arrays |= {f"{own}/conv/bias": t[f"{name}.bias"], f"{own}/affine/weight": t[f"{name}.affine.weight"].T}
        arrays |= {f"{own}/affine/bias": t[f"{name}.affine.bias"] - 1}
        if part != "torgb":
            arrays |= {f"{own}/noise_strength": t[f"{name}.noise_strength"]}
            arrays |= {f"{own}/noise_const": t[f"{name}.noise_const"][None, :, :, None]}
    with h5py.File(path, "w") as file:
        for name, array in (arrays | others).items():
            file[name] = array
    return path


def test_flaxmodels_images_are_those_of_the_equations(tmp_path):
    weights = read(flaxmodels(tmp_path / "x.h5", random_generator(0)))
    assert weights.variables.keys() == {"average"}
    expected = official.image(random_generator(0), Z, 0.6)  # the file rounds the biases of styles once more
    np.testing.assert_allclose(images(weights, Z, psi=0.6), expected, rtol=1e-5, atol=1e-5)


def test_other_files_of_flaxmodels_are_refused(tmp_path):
    path = flaxmodels(tmp_path / "x.h5", random_generator(0), **{"mapping_network/label_embedding/weight": np.eye(3)})
    with pytest.raises(InputError, match="its generator has classes"):
        read(path)
    path = flaxmodels(tmp_path / "y.h5", random_generator(0), **{"synthesis_network/more": np.eye(3)})
    with pytest.raises(InputError, match="synthesis_network/more has no place"):
        read(path)
