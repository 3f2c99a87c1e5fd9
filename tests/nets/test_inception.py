"""The FID graph of Inception v3: its parameters, its two pools at 8 x 8, and another implementation of it."""

import importlib
import importlib.util
import sys
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from genjax.metrics import features
from genjax.nets.inception import Block8, Inception


@pytest.mark.heavy
def test_it_has_the_graphs_parameters():
    # Keras' summary of the same trunk (no scale in its normalization, as here): 23,817,352 trainable with 1,000 classes
    like = jax.eval_shape(Inception().init, jax.random.key(0), jnp.zeros((1, 32, 32, 3)))
    trunk = 23_817_352 - 2049 * 1000
    assert sum(leaf.size for leaf in jax.tree.leaves(like)) == trunk + 2049 * 1008


@pytest.mark.heavy
@pytest.mark.parametrize("last", [False, True])
def test_the_last_block_pools_maxima_and_the_one_before_means_without_padding(last):
    x = jax.random.uniform(jax.random.key(0), (1, 8, 8, 1))
    block = Block8(last=last)
    like = jax.eval_shape(block.init, jax.random.key(0), x)
    variables = jax.tree.map(lambda a: np.zeros(a.shape, a.dtype), like)
    variables["params"]["branch_pool"]["kernel"] = np.ones((1, 1, 1, 192), np.float32)
    x, y = np.asarray(x), np.asarray(jax.jit(block.apply)(variables, x))
    assert y.shape == (1, 8, 8, 2048)
    corner, middle = x[0, :2, :2], x[0, 3:6, 3:6]
    for found, window in ((y[0, 0, 0, -1], corner), (y[0, 4, 4, -1], middle)):
        np.testing.assert_allclose(found, window.max() if last else window.mean(), rtol=1e-5)


@pytest.fixture(scope="module")
def theirs():
    """torch-fidelity's net with random weights that keep the size of what passes through."""
    torch = pytest.importorskip("torch", reason="torch-fidelity, the other implementation, is in PyTorch")
    spec = importlib.util.find_spec("torch_fidelity")
    if spec is None:
        pytest.skip("torch-fidelity is the other implementation of the graph")
    package = types.ModuleType("torch_fidelity")  # without its __init__, which imports torchvision
    package.__path__ = spec.submodule_search_locations
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "torch_fidelity", package)
        module = importlib.import_module("torch_fidelity.feature_extractor_inceptionv3")
        patch.setattr(module, "load_state_dict_from_url", lambda *args, **kwargs: None)
        patch.setattr(module.FeatureExtractorInceptionV3, "load_state_dict", lambda self, state: None)
        net = module.FeatureExtractorInceptionV3("random", ["2048", "logits_unbiased", "logits"])
    torch.manual_seed(0)
    for layer in net.modules():
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(layer.weight)
        elif isinstance(layer, torch.nn.BatchNorm2d):
            for tensor in (layer.weight.data, layer.running_var):
                tensor.uniform_(0.5, 1.5)
            for tensor in (layer.bias.data, layer.running_mean):
                tensor.normal_(0, 0.2)
    return net


@pytest.mark.parametrize("shape", [(4, 28, 28, 3), (2, 400, 331, 3)])
def test_it_is_torch_fidelitys(theirs, shape, tmp_path):
    import torch

    torch.save(theirs.state_dict(), tmp_path / "weights.pth")
    x = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    with torch.inference_mode():
        pool3, unbiased, logits = (a.numpy() for a in theirs(torch.from_numpy(x).permute(0, 3, 1, 2)))
    net = features.inception(tmp_path / "weights.pth", sha256=None)
    seen = features.extract(net, x, batch=len(x), probabilities=True)
    ours = jax.jit(Inception().apply)(net.variables, x.astype(np.float32)).logits
    probabilities = np.asarray(jax.nn.softmax(unbiased))
    for mine, other in ((seen.features, pool3), (ours, logits), (seen.probabilities, probabilities)):
        assert np.abs(mine - other).max() < 1e-5 * np.abs(other).max()  # 7e-7, 9e-7 and 3e-6 when it was written
