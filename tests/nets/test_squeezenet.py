"""SqueezeNet with its packaged weights sees what is in an image."""

import hashlib
import pickle
from importlib.resources import files

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from genjax.assets.squeezenet.build import Arrays
from genjax.data.packaged import from_sheet
from genjax.errors import InputError
from genjax.metrics import features
from genjax.nets.squeezenet import MEAN, SqueezeNet
from genjax.weights import squeezenet as weights


@pytest.fixture(scope="module")
def variables():
    return weights.load()


def test_it_has_the_papers_parameters_and_maps(variables):
    # 1,235,496 parameters and maps of 13 x 13 at the end for 224 x 224: version 1.1's, as PyTorch's summary has them
    assert sum(leaf.size for leaf in jax.tree.leaves(variables)) == 1_235_496
    out = jax.eval_shape(SqueezeNet().apply, variables, jnp.zeros((2, 224, 224, 3)))
    assert out.features.shape == (2, 512)
    assert out.logits.shape == (2, 1000)
    sizes = {name: a.shape[1:] for name, a in out.maps.items()}
    assert sizes["conv1"] == (111, 111, 64)
    assert (sizes["pool1"], sizes["pool3"], sizes["pool5"]) == ((55, 55, 64), (27, 27, 128), (13, 13, 256))
    assert (sizes["fire9"], sizes["conv10"]) == ((13, 13, 512), (13, 13, 1000))
    odd = jax.eval_shape(SqueezeNet().apply, variables, jnp.zeros((1, 227, 227, 3)))
    assert odd.maps["fire9"].shape == (1, 14, 14, 512)  # ceil mode: floor would leave 13


@pytest.mark.heavy
def test_it_names_drawings():
    """Emoji are no photographs, yet the likeliest of ImageNet's 1,000 classes is the right one."""
    folder = files("genjax") / "assets" / "emoji_64"
    names = [row.split("\t")[2] for row in (folder / "index.tsv").read_text("utf-8").splitlines()[1:]]
    with (folder / "emoji.webp").open("rb") as file:
        images = from_sheet(np.asarray(Image.open(file).convert("RGB")), 64)
    wanted = {"parachute": 701, "pretzel": 932, "hammer": 587, "screwdriver": 784}
    images = images[[names.index(name) for name in wanted]]
    seen = features.extract(features.squeezenet(), images, batch=4, probabilities=True).probabilities
    assert seen.argmax(1).tolist() == list(wanted.values())
    assert seen.max(1).min() > 0.8


def test_images_too_small_to_pool_are_refused(variables):
    net = SqueezeNet()
    assert jax.eval_shape(net.apply, variables, jnp.zeros((1, 17, 17, 3))).maps["fire9"].shape == (1, 1, 1, 512)
    with pytest.raises(InputError, match=r"17 x 17 or more, got \[16, 40\]"):
        net.apply(variables, jnp.zeros((1, 16, 40, 3)))


def test_damaged_weights_are_named(monkeypatch):
    monkeypatch.setattr(weights, "SHA256", hashlib.sha256(b"others").hexdigest())
    with pytest.raises(InputError, match="SqueezeNet are damaged"):
        weights.load()


def test_the_builder_reads_no_pickle_of_anything_but_arrays(tmp_path):
    path = tmp_path / "weights.pkl"
    path.write_bytes(pickle.dumps({"conv1": print}))
    with path.open("rb") as file, pytest.raises(pickle.UnpicklingError, match=r"builtins\.print"):
        Arrays(file).load()


@pytest.mark.parametrize("size", [64, 65])
def test_it_is_pytorchs_sequence_of_the_same_layers(variables, size):
    torch = pytest.importorskip("torch", reason="PyTorch is the other implementation")
    nn = torch.nn

    class Fire(nn.Module):
        def __init__(self, inputs, squeeze, expand):
            super().__init__()
            self.squeeze1x1 = nn.Conv2d(inputs, squeeze, 1)
            self.expand1x1 = nn.Conv2d(squeeze, expand, 1)
            self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)

        def forward(self, x):
            x = self.squeeze1x1(x).relu()
            return torch.cat([self.expand1x1(x), self.expand3x3(x)], 1).relu()

    def pool():
        return nn.MaxPool2d(3, 2, ceil_mode=True)

    body = nn.Sequential(
        *(nn.Conv2d(3, 64, 3, 2), nn.ReLU(), pool(), Fire(64, 16, 64), Fire(128, 16, 64)),
        *(pool(), Fire(128, 32, 128), Fire(256, 32, 128)),
        *(pool(), Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256), Fire(512, 64, 256)),
    )
    head = nn.Sequential(nn.Conv2d(512, 1000, 1), nn.ReLU())
    fires = [f"fire{n}/{part}" for n in range(2, 10) for part in ("squeeze1x1", "expand1x1", "expand3x3")]
    layers = [layer for net in (body, head) for layer in net.modules() if isinstance(layer, nn.Conv2d)]
    for layer, name in zip(layers, ["conv1", *fires, "conv10"], strict=True):
        ours = variables["params"]
        for part in name.split("/"):
            ours = ours[part]
        layer.weight.data = torch.tensor(ours["kernel"].transpose(3, 2, 0, 1).copy())
        layer.bias.data = torch.tensor(ours["bias"])

    x = np.random.default_rng(0).uniform(0, 255, (3, size, size, 3)).astype(np.float32)
    out = jax.jit(SqueezeNet().apply)(variables, x)
    with torch.inference_mode():
        maps = body(torch.tensor(x[..., ::-1] - np.float32(MEAN)).permute(0, 3, 1, 2))
        expected = maps.mean((2, 3)).numpy(), head(maps).mean((2, 3)).numpy()
    for mine, theirs in zip((out.features, out.logits), expected, strict=True):
        assert np.abs(mine - theirs).max() < 1e-5 * np.abs(theirs).max()  # 1e-6 when it was written
