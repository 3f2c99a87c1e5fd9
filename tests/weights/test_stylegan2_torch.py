"""With PyTorch: pickles and checkpoints that it writes itself, of nets whose images it draws itself, in float32.

The nets are written from arXiv:1912.04958's equations, with PyTorch's own convolutions.
"""

import io
import math
import pickle
import sys
import types

import jax
import numpy as np
import pytest
from official_stylegan2 import LATENT, SIDE, random_critic, random_generator
from official_stylegan2 import kind_of as official_kind
from rosinality_stylegan2 import rosinality, rosinality_critic

from genjax.nets.stylegan2 import Critic, Generator
from genjax.weights import stylegan2_nvidia, stylegan2_rosinality

torch = pytest.importorskip("torch", reason="PyTorch writes the files, and draws the images")
F = torch.nn.functional
RNG = np.random.default_rng(8)
Z = RNG.standard_normal((4, LATENT)).astype(np.float32)
X = RNG.standard_normal((8, SIDE, SIDE, 3)).astype(np.float32)
TAPS = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8


def smooth(x, gain, pads, up=1, down=1):
    """Zeros between and around pixels, the filter, and every `down`-th pixel. Shapes: x [B, C, H, W]."""
    b, c, h, w = x.shape
    spread = x.new_zeros(b * c, 1, h * up, w * up)
    spread[:, :, ::up, ::up] = x.reshape(b * c, 1, h, w)
    y = F.conv2d(F.pad(spread, (*pads, *pads)), gain * torch.outer(TAPS, TAPS)[None, None])[:, :, ::down, ::down]
    return y.reshape(b, c, *y.shape[2:])


def dense(t, name, x, rate=1.0):
    return F.linear(x, t[f"{name}.weight"] * (rate / math.sqrt(x.shape[1])), rate * t[f"{name}.bias"])


def activated(x):
    return math.sqrt(2) * F.leaky_relu(x, 0.2)


def modulated(t, name, x, w, demodulate=True):
    """One grouped convolution over the batch."""
    weight = t[f"{name}.weight"]
    kernel = weight[None] / math.sqrt(weight[0].numel()) * dense(t, f"{name}.affine", w)[:, None, :, None, None]
    if demodulate:
        kernel = kernel * torch.rsqrt(kernel.square().sum((2, 3, 4), keepdim=True) + 1e-8)
    b, o, i, k, _ = kernel.shape
    x = x.reshape(1, b * i, *x.shape[2:])
    if name.endswith("conv0"):
        kernel = kernel.transpose(1, 2).reshape(b * i, o, k, k)
        y = F.conv_transpose2d(x, kernel, stride=2, groups=b)
        return smooth(y.reshape(b, o, *y.shape[2:]), 4, (1, 1))
    y = F.conv2d(x, kernel.reshape(b * o, i, k, k), padding=k // 2, groups=b)
    return y.reshape(b, o, *y.shape[2:])


def image(t, z, psi):
    w = z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8)
    for i in range(3):
        w = activated(dense(t, f"mapping.fc{i}", w, 0.01))
    w = t["mapping.w_avg"].lerp(w, psi)
    x, out = t["synthesis.b4.const"].expand(len(z), -1, -1, -1), 0.0
    for side in (4, 8, 16):
        for part in ("conv0", "conv1")[side == 4 :]:
            layer = f"synthesis.b{side}.{part}"
            maps = t[f"{layer}.noise_strength"] * t[f"{layer}.noise_const"]
            x = activated(modulated(t, layer, x, w) + maps + t[f"{layer}.bias"][:, None, None])
        layer = f"synthesis.b{side}.torgb"
        new = modulated(t, layer, x, w, demodulate=False) + t[f"{layer}.bias"][:, None, None]
        out = new if side == 4 else smooth(out, 4, (2, 1), up=2) + new
    return out


def logits(t, x):
    def layer(name, x, **options):
        weight = t[f"{name}.weight"]
        y = F.conv2d(x, weight / math.sqrt(weight[0].numel()), t[f"{name}.bias"], **options)
        return activated(y)

    x = layer("b16.fromrgb", x)
    for name in ("b16", "b8"):
        skip = t[f"{name}.skip.weight"]
        short = F.conv2d(smooth(x, 1, (1, 1), down=2), skip / math.sqrt(skip.shape[1]))
        h = layer(f"{name}.conv1", smooth(layer(f"{name}.conv0", x, padding=1), 1, (2, 2)), stride=2)
        x = (h + short) / math.sqrt(2)
    groups = x.reshape(4, -1, *x.shape[1:])
    spread = (groups.var(0, unbiased=False) + 1e-8).sqrt().mean((1, 2, 3)).repeat(4)
    x = torch.cat([x, spread[:, None, None, None].expand(-1, 1, 4, 4)], 1)
    x = activated(dense(t, "b4.fc", layer("b4.conv", x, padding=1).flatten(1)))
    return dense(t, "b4.out", x)[:, 0]


class Part(torch.nn.Module):
    """A module that pickles as those of the authors' code do: a call with its state, and text in place of a source."""

    def __reduce__(self):
        state = {key: value for key, value in self.__dict__.items() if key != "kind"}
        meta = {"type": "class", "version": 6, "module_src": "raise SystemExit", "class_name": self.kind}
        return sys.modules["torch_utils.persistence"]._reconstruct_persistent_obj, (meta | {"state": state},), None


def part(kind, arrays, path="", **attributes):
    """A module from tensors by dotted name."""
    module = Part()
    module.kind = kind
    prefix = f"{path}." if path else ""
    own = {name.removeprefix(prefix): torch.tensor(a) for name, a in arrays.items() if name.startswith(prefix)}
    for name, tensor in own.items():
        if name in ("w_avg", "noise_const", "resample_filter"):
            module.register_buffer(name, tensor)
        elif "." not in name:
            module.register_parameter(name, torch.nn.Parameter(tensor))
    for name in dict.fromkeys(name.partition(".")[0] for name in own if "." in name):
        kind, its = official_kind(prefix + name)
        module.add_module(name, part(kind, arrays, prefix + name, **its))
    for name, value in attributes.items():
        setattr(module, name, value)
    return module


@pytest.fixture
def persistence(monkeypatch):
    """A module by the name that pickles have, for the time of writing."""
    module = types.ModuleType("torch_utils.persistence")
    exec("def _reconstruct_persistent_obj(meta):\n    raise SystemExit('code of a pickle was run')", module.__dict__)
    module._reconstruct_persistent_obj.__module__ = module.__name__
    monkeypatch.setitem(sys.modules, "torch_utils", types.ModuleType("torch_utils"))
    monkeypatch.setitem(sys.modules, "torch_utils.persistence", module)


def assert_same_nets(weights, averaged, judge, psi=0.7):
    generator, critic = Generator(weights.shape, **weights.fields["generator"]), Critic(**weights.fields["critic"])
    variables = weights.variables["average"]

    @jax.jit
    def draw(z):
        ws = generator.apply(variables, generator.apply(variables, z, method="map"), method="styles")
        ws = generator.apply(variables, ws, psi, method="truncate")
        return generator.apply(variables, ws, method="synthesize")

    tensors = [{name: torch.tensor(a) for name, a in arrays.items()} for arrays in (averaged, judge)]
    expected = image(tensors[0], torch.tensor(Z), psi).permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(draw(Z), expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    expected = logits(tensors[1], torch.tensor(X).permute(0, 3, 1, 2)).numpy()
    found = jax.jit(critic.apply)(weights.variables["critic"], X)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_pickles_of_modules(protocol, persistence, tmp_path):
    averaged, judge = random_generator(0), random_critic()
    architecture = {f"b{side}": {"architecture": "resnet"} for side in (4, 8, 16)}
    critic = part("Discriminator", judge)
    for name, attributes in architecture.items():
        critic.get_submodule(name).architecture = attributes["architecture"]
    critic.b4.mbstd = part("MinibatchStdLayer", {}, group_size=4, num_channels=1)
    contents = {"training_set_kwargs": {}, "G": None, "D": critic, "G_ema": part("Generator", averaged)}
    buffer = io.BytesIO()
    pickle.dump(contents | {"augment_pipe": None}, buffer, protocol)
    (tmp_path / "x.pkl").write_bytes(buffer.getvalue())
    weights = stylegan2_nvidia.read(tmp_path / "x.pkl")
    if protocol == 4:
        assert_same_nets(weights, averaged, judge)


@pytest.mark.parametrize("zipped", [False, True])
def test_checkpoints_of_state_dicts(zipped, tmp_path):
    averaged, judge = random_generator(0), random_critic()
    states = {"g_ema": rosinality(averaged), "d": rosinality_critic(judge)}
    states = {key: {name: torch.tensor(a) for name, a in arrays.items()} for key, arrays in states.items()}
    states["latent_avg"] = torch.tensor(averaged["mapping.w_avg"])
    torch.save(states, tmp_path / "x.pt", _use_new_zipfile_serialization=zipped)
    weights = stylegan2_rosinality.read(tmp_path / "x.pt")
    if zipped:
        assert_same_nets(weights, averaged, judge)
