"""The comparison with PyTorch: nets, weights, optimizers and batches are genjax's; finished runs are not repeated."""

import importlib
import json
from collections import Counter
from itertools import islice

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import Program, config_of

from experiments.benchmarks.workloads import WORKLOADS, progan_nets
from experiments.gans import against_torch
from genjax import data
from genjax.data import positions
from genjax.engine import update
from genjax.errors import InputError
from genjax.nets import progan
from genjax.tasks import gan

SHAPE = (28, 28, 1)


@pytest.fixture
def in_torch():
    pytest.importorskip("torch", reason="torch is not installed (the bench extra)")
    return importlib.import_module("experiments.gans.in_torch")


def study(folder, *more):
    small = ["--data=fashion_mnist_10k", "--split=train[:128]", "--seeds=1", "--steps=2", "--samples=64"]
    return Program("experiments.gans.against_torch", f"--out={folder}", *small, *more).wait()


def times(folder):
    """Modification times of results and samples."""
    return {path.name: path.stat().st_mtime_ns for path in (folder / "dcgan").glob("*-*.*")}


def linens(name):
    """genjax's nets of a config."""
    config = config_of(name, "")
    generator = gan.construct(gan.GENERATORS, config.generator, "generator", shape=SHAPE)
    return {"generator": generator, "critic": gan.construct(gan.CRITICS, config.critic, "critic")}


def layers_of(net):
    """The layers of a PyTorch net that have weights."""
    return [layer for layer in net if len(list(layer.parameters()))]


def norms_of(net):
    return [layer for layer in net if "Norm" in type(layer).__name__]


def moved_away(variables):
    """Initial variables with biases, scales and statistics changed to be neither zero nor one."""
    rng = np.random.default_rng(1)
    move = lambda a: a if a.ndim > 1 else a + np.abs(0.1 * rng.normal(size=a.shape)).astype(np.float32)  # noqa: E731
    return jax.tree.map(move, variables)


def rotated(kernel):
    """A kernel in PyTorch's layout for images rotated by 180 degrees, also of dense layers to or from 7 x 7 maps."""
    if kernel.ndim == 4:
        return kernel[::-1, ::-1].transpose(3, 2, 0, 1)
    maps, axes = ((7, 7, 128, 1), (0, 1)) if kernel.shape[1] == 1 else ((-1, 7, 7, 128), (1, 2))
    return np.flip(kernel.reshape(maps), axes).reshape(kernel.shape).T


def copy(variables, net):
    """Give a PyTorch net genjax's weights and statistics."""
    stats, numbers = variables.get("batch_stats", {}), Counter()
    for layer in layers_of(net):
        kind = type(layer).__name__.replace("Linear", "Dense").removesuffix("2d")
        name = f"{kind}_{numbers[kind]}"
        numbers[kind] += 1
        given = {key: np.asarray(value) for key, value in variables["params"][name].items()}
        bias = given["bias"]
        if kind == "BatchNorm":
            given = {"weight": given["scale"], "bias": bias}
            given |= {f"running_{key}": stats[name][key] for key in ("mean", "var")}
        else:
            bias = rotated(bias[None]).ravel() if len(bias) == 7 * 7 * 128 else bias
            given = {"weight": rotated(given["kernel"]), "bias": bias}
        for key, value in given.items():
            tensor = getattr(layer, key).data
            tensor.copy_(tensor.new_tensor(np.array(value)))
    return net


@pytest.mark.parametrize("train", [False, True])
def test_the_nets_are_the_same(in_torch, train):
    theirs = in_torch.nets_of(WORKLOADS["wgan_gp"], 0)  # the DCGAN's without its dropout, which draws other masks
    rng = np.random.default_rng(0)
    z, x = (rng.normal(size=size).astype(np.float32) for size in ((6, 100), (6, *SHAPE)))
    inputs = {"generator": (z, z), "critic": (x, x[:, ::-1, ::-1].transpose(0, 3, 1, 2).copy())}
    for name, net in linens("wgan_gp").items():
        mine, other = inputs[name]
        variables = moved_away(net.init(jax.random.key(0), jnp.asarray(mine)))
        peer = copy(variables, theirs[name]).train(train)
        expected, moved = net.apply(variables, mine, train=train, mutable=["batch_stats"])
        found = peer(in_torch.torch.tensor(other)).detach().numpy()
        found = found.transpose(0, 2, 3, 1)[:, ::-1, ::-1] if name == "generator" else found[:, 0]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
        for number, layer in enumerate(norms_of(peer)):
            stats = moved["batch_stats"][f"BatchNorm_{number}"]
            np.testing.assert_allclose(layer.running_mean, stats["mean"], rtol=0, atol=1e-5)
            np.testing.assert_allclose(layer.running_var, stats["var"], rtol=1e-3)  # PyTorch's is the unbiased one


def test_samples_are_rotated_back_and_rounded(in_torch):
    workload = WORKLOADS["dcgan"]
    generator = in_torch.nets_of(workload, 0)["generator"]
    found = in_torch.sample(generator, workload, 3, 5)
    assert (found.shape, found.dtype) == ((5, *SHAPE), np.uint8)
    assert (found == in_torch.sample(generator, workload, 3, 5)).all()
    z = in_torch.torch.randn(5, 100, generator=in_torch.torch.Generator().manual_seed(3))
    x = generator(z).detach().numpy()[:, 0, ::-1, ::-1, None]
    assert np.abs((x + 1) * 127.5 - found).max() <= 0.5 + 1e-3


def test_initial_weights_have_the_same_distribution(in_torch):
    theirs = in_torch.nets_of(WORKLOADS["dcgan"], 0)
    for name, net in linens("dcgan").items():
        params = net.init(jax.random.key(0), jnp.zeros((1, 100) if name == "generator" else (1, *SHAPE)))["params"]
        weights = [p.detach().numpy() for layer in layers_of(theirs[name]) for p in [layer.weight]]
        biases = [layer.bias.detach().numpy() for layer in layers_of(theirs[name])]
        assert not any(bias.any() for bias in biases)
        kernels = sorted((np.asarray(p["kernel"]) for p in params.values() if "kernel" in p), key=np.size)
        others = sorted((w for w in weights if w.ndim > 1), key=np.size)
        for ours, other in zip(kernels, others, strict=True):
            assert ours.size == other.size
            assert np.abs(other).max() == pytest.approx(
                np.abs(ours).max(), rel=0.01
            )  # one uniform distribution's bounds
            assert other.std() == pytest.approx(ours.std(), rel=0.05)
        assert all((w == 1).all() for w in weights if w.ndim == 1)  # batch normalization's scales
        assert all((layer.eps, layer.momentum) == (1e-3, 0.01) for layer in norms_of(theirs[name]))


@pytest.mark.parametrize("name", ["dcgan", "wgan_gp"])
def test_the_optimizer_takes_genjaxs_steps(in_torch, name):
    torch, options = in_torch.torch, WORKLOADS[name].optimizer
    first, *gradients = np.random.default_rng(0).normal(size=(4, 50)).astype(np.float32)
    gradients = [g * 10.0 ** np.linspace(-7, 0, 50, dtype=np.float32) for g in gradients]  # epsilon matters for some
    tx = update.optimizer(**options)
    ours, state = jnp.asarray(first), tx.init(jnp.asarray(first))
    theirs = torch.nn.Parameter(torch.tensor(first))
    descend = in_torch.optimizer([theirs], lambda function: function, **options)
    for g in gradients:
        updates, state = tx.update(jnp.asarray(g), state, ours)
        ours = ours + updates
        theirs.grad = torch.tensor(g)
        descend()
    np.testing.assert_allclose(theirs.detach(), ours, rtol=0, atol=1e-6)
    assert theirs.grad is None or not theirs.grad.any()


def test_batches_are_the_runs_own(in_torch):
    config = config_of("dcgan", "", data__split="train[:50]")
    source, workload = data.load(config.data), WORKLOADS["dcgan"]
    for number, x in enumerate(islice(in_torch.batches(source, workload, 7), 3)):
        expected = source.read(positions(7, 50, number * workload.batch, workload.batch))
        np.testing.assert_allclose(x.numpy()[:, 0, ::-1, ::-1, None], expected / 127.5 - 1, atol=1e-6)


def test_running_statistics_change_only_in_the_generators_update(in_torch):
    workload = WORKLOADS["wgan_gp"]
    net, torch = in_torch.nets_of(workload, 0)["generator"], in_torch.torch
    norm = norms_of(net)[0]
    with torch.no_grad():
        net(torch.randn(4, 100))
    assert not norm.running_mean.any()
    net(torch.randn(4, 100))
    assert norm.running_mean.any()


def test_a_finished_study_is_not_repeated(tmp_path, in_torch):
    first = study(tmp_path)
    assert first.code == 0, first.err
    assert first.out.startswith("| Fréchet distance | genjax | PyTorch |")
    assert "| SqueezeNet fire9 | " in first.out
    assert (tmp_path / "dcgan.md").read_text() == first.out.rstrip("\n") + "\n"
    assert (tmp_path / "dcgan.png").read_bytes().startswith(b"\x89PNG")
    kept = times(tmp_path)
    assert sorted(kept) == [f"{name}-0.{end}" for name in ("genjax", "torch") for end in ("json", "npy")]
    samples = [np.load(tmp_path / "dcgan" / f"{name}-0.npy") for name in ("genjax", "torch")]
    assert [(x.shape, x.dtype) for x in samples] == [((64, *SHAPE), np.uint8)] * 2
    again = study(tmp_path)
    assert again.out == first.out
    assert again.err == ""  # nothing was trained or evaluated
    assert times(tmp_path) == kept
    other = study(tmp_path, "--steps=3")
    assert other.code == 2
    assert "choose another --out" in other.err


def test_a_table_has_means_deviations_and_each_seed():
    values = {"SqueezeNet fire9": {"genjax": [4.0, 5.0, 6.0], "torch": [5.0, 7.0, 9.0]}}
    *_, row = against_torch.as_markdown(values).splitlines()
    assert row == "| SqueezeNet fire9 | 5 ± 1 | 7 ± 2 | -2 ± 1.3 | 4, 5, 6 | 5, 7, 9 |"
    alone = against_torch.as_markdown({"x": {"genjax": [4.0], "torch": [5.0]}})
    assert "| x | 4 ± nan | 5 ± nan | -1 ± nan | 4 | 5 |" in alone


def test_without_pytorch_only_finished_runs_are_shown(tmp_path, monkeypatch):
    monkeypatch.setattr(against_torch, "find_spec", lambda name: None)
    path = tmp_path / "torch-0"
    with pytest.raises(InputError, match=r"pip install -e \"\.\[bench\]\""):
        against_torch.need_torch([path])
    path.with_suffix(".json").write_text(json.dumps({}))
    against_torch.need_torch([path])


@pytest.mark.parametrize(
    ("flag", "text"),
    [
        ("--config=dcgam", "did you mean 'dcgan'"),
        ("--seeds=0", "seeds"),
        ("--data=emoji_32", "its examples are [32, 32, 3], the nets are for [28, 28, 1]"),
        ("--classifier=/no/run", "/no/run is not a run's folder"),
    ],
)
def test_bad_flags_are_refused_with_a_one_line_message(tmp_path, flag, text):
    done = study(tmp_path / "out", flag)
    assert done.code == 2
    assert text in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_progans_nets_are_the_same_in_both():
    """genjax's weights in PyTorch's layers, in their order: the same images and logits."""
    torch = pytest.importorskip("torch", reason="torch is not installed (the bench extra)")
    with_torch = importlib.import_module("experiments.benchmarks.peers.with_torch")
    channels = (6, 5, 4)
    rng = np.random.default_rng(0)
    nets = progan_nets(7, channels)
    ours = progan.Generator((16, 16, 3), channels), progan.Critic(channels)
    inputs = rng.normal(size=(8, 7)).astype(np.float32), rng.normal(size=(8, 16, 16, 3)).astype(np.float32)
    for name, net, x in zip(("generator", "critic"), ours, inputs, strict=True):
        params = jax.jit(net.init)(jax.random.key(0), x)["params"]
        params = jax.tree.map(lambda a: jnp.asarray(rng.normal(size=a.shape), jnp.float32), params)
        if name == "generator":
            order = ["dense", "convs_0_0", "convs_1_0", "convs_1_1", "convs_2_0", "convs_2_1", "to_rgb_2"]
        else:
            order = ["from_rgb_2", "convs_2_0", "convs_2_1", "convs_1_0", "convs_1_1", "last_0", "last_1", "last_2"]
        theirs = with_torch.module(nets[name], channels_last=True)
        layers = [part.layer for part in theirs if isinstance(part, with_torch.Scaled)]
        with torch.no_grad():
            for layer, key in zip(layers, order, strict=True):
                kernel = np.array(params[key]["kernel"])
                kernel = kernel.transpose(3, 2, 0, 1) if kernel.ndim == 4 else kernel.T
                layer.weight.copy_(torch.from_numpy(kernel))
                layer.bias.copy_(torch.from_numpy(np.array(params[key]["bias"])))
            given = torch.from_numpy(x)
            found = theirs(given.permute(0, 3, 1, 2) if x.ndim == 4 else given)
        found = found.permute(0, 2, 3, 1) if found.ndim == 4 else found[:, 0]
        np.testing.assert_allclose(found.numpy(), net.apply({"params": params}, x), rtol=1e-4, atol=1e-4)
