"""Inception's weights: the right file, names and shapes, and batch normalization folded without a trace."""

import hashlib
from importlib.resources import files

import jax
import numpy as np
import pytest
from flax.traverse_util import flatten_dict
from safetensors.numpy import save_file

from genjax.errors import InputError
from genjax.metrics import features
from genjax.nets.inception import Inception
from genjax.weights import any_file, inception


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


@pytest.mark.heavy
def test_the_fold_is_the_normalization(tensors):
    layer = inception.convert(tensors)["params"]["Mixed_5b"]["branch5x5_2"]
    w, b, mean, var = (
        tensors[f"Mixed_5b.branch5x5_2.bn.{n}"] for n in ("weight", "bias", "running_mean", "running_var")
    )
    x = 3.0  # what a convolution with a kernel of ones makes of one pixel of 3
    np.testing.assert_allclose(
        x * layer["kernel"][2, 2, 0] + layer["bias"], (x - mean) / np.sqrt(var + 1e-3) * w + b, rtol=1e-5
    )


@pytest.fixture(scope="module")
def whole(tensors, tmp_path_factory):
    """A safetensors file of them."""
    return save(tmp_path_factory.mktemp("weights") / "inception.safetensors", tensors)


def save(path, tensors):
    """A safetensors file."""
    save_file({name: np.ascontiguousarray(a) for name, a in tensors.items()}, path)
    return path


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def refused(path, sha256=None):
    """The message, which is one line."""
    with pytest.raises(InputError) as caught:
        inception.load(path, sha256)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_both_formats_give_the_same_variables(whole, tensors, tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is who writes the other format")
    torch.save({name: torch.tensor(a) for name, a in tensors.items()}, tmp_path / "w")  # content says which, not a name
    for path in (whole, tmp_path / "w"):
        found, sha256 = inception.load(path, sha256=None)
        assert sha256 == digest(path)
        jax.tree.map(np.testing.assert_array_equal, found, inception.convert(tensors))


@pytest.mark.heavy
def test_a_file_that_is_not_the_published_one_has_a_name_of_its_own(whole):
    for sha256 in (None, digest(whole).upper()):
        net = features.inception(whole, sha256)
        assert net.name == f"Inception v3 pool3, weights {digest(whole)[:8]}"
        assert net.sha256 == digest(whole)
        assert not net.published


@pytest.mark.heavy
def test_the_published_file_has_the_plain_name_however_it_was_asked_for(whole, monkeypatch):
    monkeypatch.setattr(inception, "SHA256", digest(whole))
    for sha256 in (None, digest(whole)):
        net = features.inception(whole, sha256)
        assert net.name == "Inception v3 pool3"
        assert net.published


def test_a_missing_layer_is_named(tensors):
    without = {name: a for name, a in tensors.items() if name != "Mixed_7c.branch_pool.bn.bias"}
    with pytest.raises(InputError, match=r"the weights: no tensor 'Mixed_7c\.branch_pool\.bn\.bias'"):
        inception.convert(without)


def test_torchvisions_classifier_is_refused(tensors, tmp_path):
    path = save(tmp_path / "w", tensors | {"fc.weight": np.zeros((1000, 2048), np.float32)})
    message = refused(path)
    assert "'fc.weight' has shape (1000, 2048), expected (1008, 2048)" in message
    assert inception.FILE in message


@pytest.mark.heavy
@pytest.mark.parametrize(("name", "value"), [("conv.weight", np.nan), ("bn.running_var", -1), ("bn.bias", np.inf)])
def test_numbers_that_are_none_are_refused_by_their_layer(tensors, name, value):
    name = f"Mixed_5b.branch1x1.{name}"
    with pytest.raises(InputError, match=r"layer Mixed_5b\.branch1x1 is not finite"):
        inception.convert(tensors | {name: np.full_like(tensors[name], value)})


def test_an_absent_file_is_answered_with_the_right_ones_name_and_digest(tmp_path):
    message = refused(tmp_path / "weights.pth", inception.SHA256)
    assert "no such file" in message
    assert inception.FILE in message
    assert inception.SHA256 in message


def test_another_file_is_refused_by_its_digest(whole):
    message = refused(whole, inception.SHA256)
    assert f"has SHA-256 {digest(whole)}, expected {inception.SHA256}" in message
    assert f"pass sha256='{digest(whole)}'" in message


def test_what_cannot_be_read_is_named(tmp_path):
    assert "cannot be read: Is a directory" in refused(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    assert "cannot be read: Too many levels of symbolic links" in refused(tmp_path / "loop")


def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    def forbidden(path, mode):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(any_file, "open", forbidden, raising=False)  # who runs the tests may be allowed anything
    assert "cannot be read: Permission denied" in refused(tmp_path / "weights.pth")


@pytest.mark.parametrize("data", [b"", b"others", b"weights of a net\nfor images\n", b"<html>404</html>"])
def test_a_text_is_refused(data, tmp_path):
    (tmp_path / "w").write_bytes(data)
    message = refused(tmp_path / "w")
    assert f"begins with {data[:9]!r}: expected a file that torch.save wrote" in message
    assert "or a safetensors file" in message


def test_a_truncated_file_is_refused(whole, tmp_path):
    (tmp_path / "w").write_bytes(whole.read_bytes()[:-4])
    assert "or is cut short: Error while deserializing header: incomplete metadata" in refused(tmp_path / "w")
    (tmp_path / "w").write_bytes(b"PK\3\4 and no end")
    assert "or is cut short: File is not a zip file" in refused(tmp_path / "w")


def test_squeezenets_weights_are_refused(tmp_path):
    packaged = files("genjax") / "assets" / "squeezenet" / "squeezenet.npz"
    assert "it is an archive of conv1/bias.npy, conv1/kernel.npy, conv10/bias.npy, without" in refused(packaged)
    with np.load(packaged) as arrays:
        path = save(tmp_path / "w", dict(arrays))
    assert "no tensor 'fc.weight', only 'conv1/bias', 'conv1/kernel', ...; expected Inception v3" in refused(path)
