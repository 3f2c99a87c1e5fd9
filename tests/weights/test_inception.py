"""Inception's weights: the right file, names and shapes, and batch normalisation folded without a trace."""

import jax
import numpy as np
import pytest
from flax.traverse_util import flatten_dict

from genjax.errors import InputError
from genjax.nets.inception import Inception
from genjax.weights import inception


@pytest.fixture(scope="module")
def tensors():
    """Random ones under PyTorch's names; zeros would be as good for all but the folding."""
    rng = np.random.default_rng(0)
    like = jax.eval_shape(Inception().init, jax.random.key(0), np.zeros((1, 8, 8, 3), np.float32))["params"]
    out = {"fc.weight": np.ones((1008, 2048), np.float32), "fc.bias": np.ones(1008, np.float32)}
    for path, leaf in flatten_dict(like).items():
        if path[-1] != "kernel":
            continue
        h, w, i, o = leaf.shape
        layer = ".".join(path[:-1])
        out[f"{layer}.conv.weight"] = np.ones((o, i, h, w), np.float32)
        for name in ("weight", "bias", "running_mean", "running_var"):
            out[f"{layer}.bn.{name}"] = rng.uniform(0.5, 2, o).astype(np.float32)
    return out


def test_the_fold_is_the_normalisation(tensors):
    layer = inception.convert(tensors)["params"]["Mixed_5b"]["branch5x5_2"]
    w, b, mean, var = (
        tensors[f"Mixed_5b.branch5x5_2.bn.{n}"] for n in ("weight", "bias", "running_mean", "running_var")
    )
    x = 3.0  # what a convolution with a kernel of ones makes of one pixel of 3
    np.testing.assert_allclose(
        x * layer["kernel"][2, 2, 0] + layer["bias"], (x - mean) / np.sqrt(var + 1e-3) * w + b, rtol=1e-5
    )


def test_a_missing_layer_is_named(tensors):
    without = {name: a for name, a in tensors.items() if name != "Mixed_7c.branch_pool.bn.bias"}
    with pytest.raises(InputError, match=r"no tensor 'Mixed_7c\.branch_pool\.bn\.bias'"):
        inception.convert(without)


def test_torchvisions_classifier_is_refused(tensors):
    with pytest.raises(InputError, match=r"'fc\.weight' of shape \(1000, 2048\), expected \(1008, 2048\)"):
        inception.convert(tensors | {"fc.weight": np.zeros((1000, 2048), np.float32)})


def test_an_absent_file_is_answered_with_the_right_ones_name_and_digest(tmp_path):
    with pytest.raises(InputError, match=rf"no such file.*{inception.FILE}.*{inception.SHA256}"):
        inception.load(tmp_path / "weights.pth")


def test_another_file_is_refused_by_its_digest(tmp_path):
    (tmp_path / "weights.pth").write_bytes(b"others")
    with pytest.raises(InputError, match=rf"has SHA-256 \w+, expected {inception.SHA256}"):
        inception.load(tmp_path / "weights.pth")
    with pytest.raises(InputError, match="not a state dict"):
        inception.load(tmp_path / "weights.pth", sha256=None)
