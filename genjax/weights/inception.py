"""The weights of Inception v3 that the Frechet Inception distance is defined with, from the common file of them.

They are TensorFlow's of 2015-12-05 (Apache License 2.0), converted by the authors of pytorch-fid and used by
torch-fidelity as well. They are not packaged here: 95 MB.
"""

import os
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from genjax.errors import InputError
from genjax.nets.inception import Inception
from genjax.weights import any_file, safetensors_file, torch_file

FILE = "pt_inception-2015-12-05-6726825d.pth"
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
EPSILON = 1e-3  # of batch normalization


class Weights(NamedTuple):
    """Variables of genjax.nets.inception.Inception, and the file that they are from."""

    variables: dict[str, Any]
    sha256: str  # of the file

    @property
    def published(self) -> bool:
        """Whether they are those that the distance is defined with: a distance on others is none of its kind."""
        return self.sha256 == SHA256


def load(path: str | os.PathLike, sha256: str | None = SHA256) -> Weights:
    """The weights in a file of PyTorch's or a safetensors file with PyTorch's names; its content says which.

    Only the published file has a digest that is known beforehand. Other files, every safetensors file among them, must
    be asked for: by their own `sha256`, or by None, which takes any. What they hold is then not vouched for.
    Raises: InputError if the file is absent, unreadable or another one, or does not hold the net's layers.
    """
    wanted = f"the weights of the Frechet Inception distance are {FILE} (SHA-256 {SHA256}, of pytorch-fid's releases)"
    found = any_file.digest(path, wanted)
    if sha256 is not None and found != sha256.lower():
        own = (
            f"to use this file all the same, under a name of its own, pass sha256={found!r} (or --features=...@SHA256)"
        )
        raise InputError(f"{path} has SHA-256 {found}, expected {sha256}; {wanted}; {own}")
    expected = f"a file that torch.save wrote, as {FILE}, or a safetensors file"
    return Weights(convert(any_file.read(path, (safetensors_file, torch_file), expected), str(path)), found)


def convert(tensors: dict[str, np.ndarray], source: str = "the weights") -> dict[str, Any]:
    """Tensors of the PyTorch net by its names to the variables of ours, batch normalization folded in (in float64).

    `source` is what messages call the tensors. Shapes: kernels [O, I, h, w] -> [h, w, I, O].
    Raises: InputError if a tensor is absent or has another shape, or if a layer is not finite.
    """

    def take(name, shape):
        if name not in tensors:
            there = f"only {', '.join(map(repr, sorted(tensors)[:2]))}, ..." if tensors else "nor any other"
            raise InputError(f"{source}: no tensor {name!r}, {there}; expected Inception v3 as in {FILE}")
        if tensors[name].shape != shape:
            raise InputError(
                f"{source}: {name!r} has shape {tensors[name].shape}, expected {shape}, of Inception v3 as in {FILE}"
            )
        return tensors[name].astype(np.float64)

    params = {("fc_kernel",): take("fc.weight", (1008, 2048)).T, ("fc_bias",): take("fc.bias", (1008,))}
    like = jax.eval_shape(Inception().init, jax.random.key(0), jnp.zeros((1, 8, 8, 3)))["params"]
    for path, (height, width, inputs, outputs) in _kernels(like):
        layer = ".".join(path)
        norm = {
            name: take(f"{layer}.bn.{name}", (outputs,)) for name in ("weight", "bias", "running_mean", "running_var")
        }
        with np.errstate(invalid="ignore"):  # what is NaN is found below
            scale = norm["weight"] / np.sqrt(norm["running_var"] + EPSILON)
        kernel = take(f"{layer}.conv.weight", (outputs, inputs, height, width)).transpose(2, 3, 1, 0)
        params[*path, "kernel"] = kernel * scale
        params[*path, "bias"] = norm["bias"] - norm["running_mean"] * scale
    for path, array in params.items():
        if not np.isfinite(array).all():
            raise InputError(
                f"{source}: layer {'.'.join(path[:-1]) or 'fc'} is not finite: the file is damaged; expected {FILE}"
            )
    return {"params": unflatten_dict({path: array.astype(np.float32) for path, array in params.items()})}


def _kernels(like):
    return [(path[:-1], leaf.shape) for path, leaf in flatten_dict(like).items() if path[-1] == "kernel"]
