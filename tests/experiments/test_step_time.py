"""The benchmark of training steps: what it counts, that its workers keep their protocol, and what it refuses."""

import functools
import json
import os
from importlib.util import find_spec

import jax
import numpy as np
import pytest
from helpers import assert_refused_in_a_line

from experiments.benchmarks import step_time
from experiments.benchmarks.layers import Layer, Net
from experiments.benchmarks.peers import PEERS, with_genjax
from experiments.benchmarks.process import Failed, Worker
from experiments.benchmarks.workloads import WORKLOADS, stylegan, stylegan2
from genjax.errors import InputError
from genjax.nets import stylegan2 as stylegan2_nets
from genjax.nets.progan import Critic
from genjax.nets.stylegan import Generator

READY = {
    "parameters": {"generator": 1, "critic": 1},
    "compile_seconds": 1.0,
    "step_seconds": 0.001,
    "losses": {"critic/loss": 0.7, "generator/loss": 0.7},
    "peak_mib": 100.0,
    "versions": {"jax": "1"},
}


@pytest.mark.parametrize(
    ("layer", "shape", "output", "flops", "parameters"),
    [
        (Layer("dense", 10), (7,), (10,), 2 * 70, 80),
        (Layer("conv", 64, kernel=5, stride=2), (28, 28, 1), (14, 14, 64), 2 * 25 * 64 * 196, 26 * 64),
        (Layer("transposed", 64, kernel=5, stride=2), (7, 7, 128), (14, 14, 64), 2 * 25 * 128 * 64 * 49, 3201 * 64),
        (Layer("transposed", 32, kernel=3, stride=2, padding="VALID"), (3, 3, 64), (7, 7, 32), 331_776, 577 * 32),
        (Layer("pool"), (7, 7, 64), (3, 3, 64), 0, 0),
        (Layer("batch_norm"), (7, 7, 128), (7, 7, 128), 0, 256),
    ],
)
def test_arithmetic_of_a_layer(layer, shape, output, flops, parameters):
    assert (layer.output(shape), layer.flops(shape), layer.parameters(shape)) == (output, flops, parameters)


def test_arithmetic_of_a_step_of_dense_layers():
    # By hand, multiply-adds: generator 30*100 + 100*150 + 150*784 = 135,600; critic 784*150 + 150*100 + 100 = 132,700.
    # Critic's update: one generator pass, three critic passes on twice the batch, not the first layer's to the data;
    # generator's: three passes of its own, not the first layer's to the noise, and two through the critic.
    macs = 135_600 + 2 * (3 * 132_700 - 784 * 150) + 3 * 135_600 - 30 * 100 + 2 * 132_700
    assert WORKLOADS["gan"].flops == 32 * 2 * macs
    # VAE: 784*150 + 150*100 + 100*20 = 134,600 and 10*100 + 100*150 + 150*784 = 133,600.
    assert WORKLOADS["vae"].flops == 128 * 2 * (3 * (134_600 + 133_600) - 784 * 150)


def test_arithmetic_of_a_step_of_convolutions():
    generator = 2 * (100 * 6272 + 25 * 128 * 64 * 49 + 25 * 64 * 196)
    critic = 2 * (25 * 64 * 196 + 25 * 64 * 128 * 49 + 6272)
    update = generator + 2 * (3 * critic - 2 * 25 * 64 * 196)
    through = 3 * generator - 2 * 100 * 6272 + 2 * critic
    assert WORKLOADS["dcgan"].flops == 32 * (update + through)
    assert WORKLOADS["dcgan_128"].flops == 4 * WORKLOADS["dcgan"].flops
    assert WORKLOADS["wgan_gp"].flops == 64 * (5 * (update + 4 * critic) + through)
    assert WORKLOADS["wgan_gp"].parameters == {"generator": 840_321, "critic": 212_865}


def test_shapes_meet():
    for workload in WORKLOADS.values():
        for net in workload.nets.values():
            *_, (last, shape) = net.each()
            end = (*shape[:2], last.features) if last.kind == "to_rgb" else last.output(shape)  # whose maps go on
            assert np.prod(end) in (1, 784, 20, 576, 32 * 32 * 3, 64 * 64 * 3), workload.name
    assert Net((4,), (Layer("dense", 3), Layer("dense", 2))).first_flops == 24


@pytest.mark.parametrize(
    "name", [name for name, workload in WORKLOADS.items() if workload.config and not workload.overrides]
)
def test_workloads_are_the_configs(name):
    workload = WORKLOADS[name]
    config = with_genjax.load_config(workload)
    assert (workload.latent, workload.critic_steps) == (config.latent, config.critic_steps)
    assert (workload.loss, workload.penalty) == (config.loss.name, config.penalty.gradient_penalty)
    assert name == "dcgan_128" or workload.batch == config.batch
    for net in ("generator", "critic"):
        ours = config.optimizer[net].to_dict()
        moments = {} if ours["name"] == "adam" else {"b1": ours["b1"], "b2": ours["b2"]}
        plain = {"epsilon": 1e-7, "decay": 0, "frozen": ""} | ({"weight_clip": 0.0} if net == "critic" else {})
        assert ours == workload.optimizer | moments | plain
    rates = {layer.rate for layer in workload.nets["critic"].layers if layer.kind == "dropout"}
    assert rates == ({config.critic.dropout} if workload.convolutional else set())
    last = workload.nets["generator"].layers[-1].activation
    assert (config.generator.output, workload.low) == (last, -1 if last == "tanh" else 0)


@pytest.mark.parametrize("name", WORKLOADS)
def test_only_works_that_are_configs_are_timed_in_bfloat16(name):
    for peer in PEERS.values():
        if "bfloat16" in peer.against and peer.variants(WORKLOADS[name]):
            assert with_genjax.load_config(WORKLOADS[name]) is not None


def test_worker_trains_when_asked_and_says_how_it_went():
    cache = {name: value for name, value in os.environ.items() if name == "JAX_COMPILATION_CACHE_DIR"}
    with Worker("genjax", "gan", "loop", limit=60, **cache) as worker:
        assert sum(worker.ready["parameters"].values()) == sum(WORKLOADS["gan"].parameters.values())
        assert set(worker.ready) == set(READY)
        assert worker.run(3) > 0
        assert worker.idle < 0.1
        assert 50 < worker.peak_mib < 5000
    assert worker.process.returncode is not None


def test_worker_that_cannot_start_says_why():
    with pytest.raises(Failed, match="KeyError: 'no workload'"), Worker("genjax", "no workload", "loop", limit=60):
        pass


@pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed (the bench extra)")
@pytest.mark.parametrize("workload", ["vae"])
def test_torch_trains_the_same(workload):
    with Worker("torch", workload, "eager 1 thread", limit=60) as worker:
        assert sum(worker.ready["parameters"].values()) == sum(WORKLOADS[workload].parameters.values())
        assert worker.ready["losses"]["loss"] == pytest.approx(np.log(2), abs=0.1)  # pixels not told from a coin's


STYLEGAN = {  # the layers of ours whose kernels are those of the peer's, in the peer's order
    "generator": [f"mapping/dense_{i}" for i in range(8)]
    + ["convs_0/style"]
    + [f"convs_{i}/{part}" for i in (1, 2, 3) for part in ("Conv_0", "style")]
    + ["to_rgb_1"],
    "critic": ["from_rgb_1", "convs_1_0", "convs_1_1", "last_0", "last_1", "last_2"],
}


@pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed (the bench extra)")
def test_torchs_stylegan_is_ours():
    import torch

    from experiments.benchmarks.peers import with_torch

    workload = stylegan(8, (6, 5), width=7)
    ours = {"generator": Generator((8, 8, 3), (6, 5), width=7), "critic": Critic((6, 5), bilinear=True)}
    rng = np.random.default_rng(0)
    inputs = {"generator": rng.standard_normal((4, 7)), "critic": rng.standard_normal((4, 8, 8, 3))}
    for name, x in inputs.items():
        variables = ours[name].init(jax.random.key(0), x)
        theirs = with_torch.module(workload.nets[name], channels_last=False)
        assert sum(p.numel() for p in theirs.parameters()) == workload.nets[name].parameters
        scaled = [part.layer for part in theirs.modules() if isinstance(part, with_torch.Scaled)]
        for layer, path in zip(scaled, STYLEGAN[name], strict=True):
            kernel = functools.reduce(lambda tree, key: tree[key], path.split("/"), variables["params"])["kernel"]
            if path == "last_1":  # behind the flattened maps, whose channels come first there
                kernel = kernel.reshape(4, 4, 6, 6).transpose(2, 0, 1, 3).reshape(96, 6)
            kernel = torch.tensor(np.asarray(kernel))
            layer.weight.data = kernel.permute(3, 2, 0, 1) if kernel.ndim == 4 else kernel.T
        expected = ours[name].apply(variables, x)
        found = theirs(torch.tensor(x if x.ndim == 2 else x.transpose(0, 3, 1, 2), dtype=torch.float32))
        found = found.detach().numpy().swapaxes(1, -1)
        found = found.swapaxes(1, 2) if found.ndim == 4 else found[:, 0]
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def kernels(module):
    """The weights of a net of the peer's, in the order of its layers, without biases, norms and scales of noise."""
    return [p for p in module.parameters() if (p.ndim > 1 and p.shape[-1] != 1) or p.ndim == 4]


def put(theirs, params, paths):
    """Give the peer's weights, in its order, the values of ours at the paths."""
    import torch

    for weight, path in zip(theirs, paths, strict=True):
        kernel = functools.reduce(lambda tree, key: tree[key], path.split("/"), params)["kernel"]
        kernel = torch.tensor(np.asarray(kernel))
        weight.data = kernel.permute(3, 2, 0, 1) if kernel.ndim == 4 else kernel.T


STYLEGAN2_LAYERS = ["convs_0", "to_rgb_0", "convs_1", "convs_2", "to_rgb_1"]
STYLEGAN2_CRITIC = ["Conv_0", *(f"Block_0/Conv_{i}" for i in range(3)), "Conv_1", "Dense_0", "Dense_1"]


@pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed (the bench extra)")
def test_torchs_stylegan2_is_ours():
    import torch

    from experiments.benchmarks.peers import with_torch

    nets = stylegan2(8, (6, 5), width=7).nets
    theirs = {name: with_torch.module(net, channels_last=False) for name, net in nets.items()}
    counts = {name: sum(p.numel() for p in net.parameters()) for name, net in theirs.items()}
    assert counts == {name: net.parameters for name, net in nets.items()}
    rng = np.random.default_rng(0)

    ours = stylegan2_nets.Generator((8, 8, 3), (6, 5), width=7)
    z = rng.standard_normal((4, 7))
    variables = ours.init(jax.random.key(0), z)
    modulated = [part.conv for part in theirs["generator"].parts]
    put([conv.weight for conv in modulated], variables["params"], [f"{n}/ModulatedConv_0" for n in STYLEGAN2_LAYERS])
    for conv in modulated:  # a transposed convolution reads its kernel the other way round
        conv.weight.data = conv.weight.data.flip(2, 3) if conv.up else conv.weight.data
    styles = [f"{name}/ModulatedConv_0/style" for name in STYLEGAN2_LAYERS]
    put([conv.affine.layer.weight for conv in modulated], variables["params"], styles)
    theirs["generator"].constant.data = torch.tensor(np.array(variables["params"]["constant"])).permute(2, 0, 1)
    ws = rng.standard_normal((4, 4, 7)).astype(np.float32)
    expected = ours.apply(variables, ws, method="synthesize")
    found = theirs["generator"].synthesize(torch.tensor(ws)).detach().permute(0, 2, 3, 1)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)

    ours = stylegan2_nets.Critic((6, 5))
    x = rng.standard_normal((4, 8, 8, 3)).astype(np.float32)
    variables = ours.init(jax.random.key(0), x)
    flattened = variables["params"]["Dense_0"]  # behind the maps, whose channels come first there
    put(kernels(theirs["critic"]), variables["params"], STYLEGAN2_CRITIC)
    kernel = np.asarray(flattened["kernel"]).reshape(4, 4, 6, 6).transpose(2, 0, 1, 3).reshape(96, 6)
    kernels(theirs["critic"])[-2].data = torch.tensor(kernel.T.copy())
    found = theirs["critic"](torch.tensor(x).permute(0, 3, 1, 2)).detach()[:, 0]
    np.testing.assert_allclose(found, ours.apply(variables, x), rtol=1e-4, atol=1e-5)


class Stub:
    """A worker that takes a known time."""

    def __init__(self, peer, workload, variant, limit=0.0):
        if variant == "compile":
            raise Failed("no compiler")
        self.milliseconds = {"loop": 2.0, "eager": 9.0, "eager 1 thread": 6.0}.get(variant, 8.0)
        self.failed, self.ready, self.idle, self.peak_mib, self.step_seconds = False, READY, 0.0, 100.0, 0.5

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def run(self, steps):
        assert steps == 2
        return self.milliseconds / 1e3

    def ask(self, matmul):
        return {"seconds": 0.1}


def test_results_are_the_fastest_variant_with_the_others_beside_it(monkeypatch):
    monkeypatch.setattr(step_time, "Worker", Stub)
    results = list(step_time.measure([WORKLOADS["gan"]], ["torch", "flax"], repeats=3))
    assert [(r["workload"], r["peer"], r["ours_ms"], r["peer_ms"], r["ratio"]) for r in results] == [
        ("gan", "torch", 2.0, 6.0, 3.0),
        ("gan", "flax", 2.0, 8.0, 4.0),
    ]
    assert results[0]["variant"] == "eager 1 thread"
    assert [v["ratio"] for v in results[0]["variants"]] == [4.5, 3.0, None, 4.0]
    assert results[0]["ours_gflops"] == pytest.approx(WORKLOADS["gan"].flops / 2e6)
    assert results[0]["ours_share_of_matmul"] == pytest.approx(WORKLOADS["gan"].flops / 2e6 / (2 * 2048**3 / 0.1e9))
    assert json.loads(json.dumps(results)) == results
    text = step_time.as_text(results)
    assert "torch (eager 1 thread)" in text
    assert "3.00 (3.00-3.00)" in text
    assert step_time.draw(results).width > 1000
    assert set(step_time.COLORS) == set(PEERS) - {"genjax"}


@pytest.mark.parametrize("theirs", [{"loss": 0.9}, {"loss": float("nan")}, {"other": 0.5}])
def test_a_peer_that_trains_something_else_is_refused(theirs):
    step_time.compare_losses({"loss": 0.5}, {"loss": 0.6}, 0.2)
    with pytest.raises(Failed):
        step_time.compare_losses({"loss": 0.5}, theirs, 0.2)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--only=dcgam"], "did you mean 'dcgan'"),
        (["--against=tourch"], "did you mean 'torch'"),
        (["--against="], "--against is empty"),
        (["--repeats=0"], "repeats"),
        (["--json=x.txt"], "ends in .json"),
        (["--png=/dev/null/x.png"], "/dev/null is not a folder"),
        (["gan"], "is not a flag"),
    ],
)
def test_bad_flags_are_refused_in_a_line(arguments, text):
    assert_refused_in_a_line("experiments.benchmarks.step_time", arguments, text)


def test_a_missing_peer_is_left_out(monkeypatch, capsys):
    monkeypatch.setattr(step_time, "find_spec", lambda name: None)
    assert not step_time.installed("torch")
    assert 'pip install -e ".[bench]"' in capsys.readouterr().err


def test_outputs_are_checked_before_anything_is_measured(tmp_path):
    step_time.check_output("json", str(tmp_path / "new" / "x.json"), ".json")
    (tmp_path / "dir.json").mkdir()
    with pytest.raises(InputError):
        step_time.check_output("json", str(tmp_path / "dir.json"), ".json")
