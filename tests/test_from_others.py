"""The pages "from PyTorch" and "from Keras": their programs run, and both columns compute the same numbers."""

import re
import sys

import numpy as np
import pytest
from helpers import ROOT

from genjax import data


def program(page: str) -> str:
    """The Python of a page."""
    text = (ROOT / "docs" / f"{page}.md").read_text("utf-8")
    return "\n".join(re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE))


@pytest.mark.parametrize("page", ["from_pytorch", "from_keras"])
def test_a_page_is_python_whose_libraries_may_be_missing(page):
    compile(program(page), page, "exec")


@pytest.fixture(scope="module")
def pytorch():
    """The names of the page, and PyTorch."""
    torch = pytest.importorskip("torch")
    names = {}
    exec(program("from_pytorch"), names)
    return torch, names


@pytest.mark.heavy
def test_generators_of_pytorch_and_flax_with_the_same_weights_draw_the_same(pytorch):
    """Kernels: [out, in] -> [in, out]; transposed convolutions [in, out, h, w] -> [h, w, in, out], which Flax flips."""
    torch, names = pytorch
    torch.manual_seed(0)
    net = names["TorchGenerator"]()
    z = torch.randn(3, 16)
    expected = net(z).detach().numpy().transpose(0, 2, 3, 1)
    weights = {name: p.detach().numpy() for name, p in net.named_parameters()}
    order = np.arange(7 * 7 * 32).reshape(32, 7, 7).transpose(1, 2, 0).ravel()  # features of PyTorch's view
    params = {"Dense_0": {"kernel": weights["dense.weight"][order].T, "bias": weights["dense.bias"][order]}}
    for i, name in enumerate(("up1", "up2")):
        kernel = weights[f"{name}.weight"].transpose(2, 3, 0, 1)[::-1, ::-1]
        params[f"ConvTranspose_{i}"] = {"kernel": kernel, "bias": weights[f"{name}.bias"]}
    actual = names["Generator"]().apply({"params": params}, z.numpy())
    np.testing.assert_allclose(actual, expected, atol=1e-5)
    target = np.zeros_like(expected)
    slopes = names["gradient"](names["Generator"](), params, z.numpy(), target)
    reference = names["torch_gradient"](net, z, torch.zeros(3, 1, 28, 28))
    bias = reference["up1.bias"].numpy()
    np.testing.assert_allclose(slopes["ConvTranspose_0"]["bias"], bias, atol=1e-5)


def test_losses_of_pytorch_and_genjax_are_equal(pytorch):
    torch, names = pytorch
    real, fake = np.random.default_rng(0).normal(size=(2, 8)).astype(np.float32)
    pair = torch.from_numpy(real), torch.from_numpy(fake)
    for own, other in (("critic", "torch_critic_loss"), ("generator", "torch_generator_loss")):
        expected = names[other](*pair).item()
        assert float(getattr(names["loss"], own)(real, fake)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.heavy
@pytest.mark.slow
def test_the_trainings_of_the_pytorch_page_run(pytorch, tmp_path, monkeypatch):
    torch, names = pytorch
    monkeypatch.chdir(tmp_path)
    critic = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 1))
    nets = names["TorchGenerator"](), critic
    optimizers = [torch.optim.Adam(net.parameters()) for net in nets]
    before = nets[0].dense.weight.detach().clone()
    names["torch_train"](*nets, [(torch.rand(4, 1, 28, 28), None)], optimizers, "cpu")
    assert not torch.equal(before, nets[0].dense.weight)
    (tmp_path / "mine.py").write_text(
        program("from_pytorch").split("# genjax: a module")[1].split("\n", 1)[1].split("# PyTorch")[0]
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    run = names["train"](tmp_path / "run", generator={"net": "mine:Generator"})
    assert run.sample(range(2)).shape == (2, 28, 28, 1)
    sys.modules.pop("mine", None)


@pytest.mark.heavy
@pytest.mark.slow
def test_keras_and_genjax_with_the_same_weights_reconstruct_the_same(tmp_path):
    pytest.importorskip("keras")
    names = {}
    exec(program("from_keras"), names)
    x = data.open_source("fashion_mnist_10k", "test[:4]").read(range(4))
    run = names["train"](tmp_path, **{"autoencoder.widths": (100, 30)})
    model = names["keras_model"]()
    params = run.params["autoencoder"]
    dense = [params[name] for name in ("encoder_0", "encoder_1", "decoder_0", "decoder_1")]
    model.set_weights([np.asarray(layer[part]) for layer in dense for part in ("kernel", "bias")])
    actual = names["use"](run, x)
    np.testing.assert_allclose(actual[..., 0], names["keras_use"](model, x[..., 0]) * 255, atol=0.51)
