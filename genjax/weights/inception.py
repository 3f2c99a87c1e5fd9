"""The weights of Inception v3 that the Frechet Inception distance is defined with, from the common PyTorch file.

They are TensorFlow's of 2015-12-05 (Apache License 2.0), converted by the authors of pytorch-fid and used by
torch-fidelity as well. They are not packaged here: 95 MB.
"""

import hashlib
import os
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from genjax.errors import InputError
from genjax.nets.inception import Inception
from genjax.weights import torch_file

FILE = "pt_inception-2015-12-05-6726825d.pth"
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
EPSILON = 1e-3  # of batch normalisation


def load(path: str | os.PathLike, sha256: str | None = SHA256) -> dict[str, Any]:
    """The variables of genjax.nets.inception.Inception from a file; `sha256` None takes any of the right shapes.

    Raises: InputError if the file is absent, another one, or does not hold the net's layers.
    """
    wanted = f"the weights of the Frechet Inception distance are {FILE} (SHA-256 {SHA256}, of pytorch-fid's releases)"
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file; {wanted}")
    if sha256 and (found := digest(path)) != sha256:
        raise InputError(f"{path} has SHA-256 {found}, expected {sha256}; {wanted}")
    return convert(torch_file.read(path))


def digest(path: str | os.PathLike) -> str:
    """SHA-256 of a file, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def convert(tensors: dict[str, np.ndarray]) -> dict[str, Any]:
    """Tensors of the PyTorch net by its names to the variables of ours, batch normalisation folded in (in float64).

    Shapes: kernels [O, I, h, w] -> [h, w, I, O]. Raises: InputError if a tensor is absent or has another shape.
    """

    def take(name, shape):
        if name not in tensors:
            raise InputError(f"the weights have no tensor {name!r}: expected Inception v3 as in {FILE}")
        if tensors[name].shape != shape:
            raise InputError(f"the weights have {name!r} of shape {tensors[name].shape}, expected {shape} as in {FILE}")
        return tensors[name].astype(np.float64)

    params = {("fc_kernel",): take("fc.weight", (1008, 2048)).T, ("fc_bias",): take("fc.bias", (1008,))}
    like = jax.eval_shape(Inception().init, jax.random.key(0), jnp.zeros((1, 8, 8, 3)))["params"]
    for path, (height, width, inputs, outputs) in _kernels(like):
        layer = ".".join(path)
        norm = {
            name: take(f"{layer}.bn.{name}", (outputs,)) for name in ("weight", "bias", "running_mean", "running_var")
        }
        scale = norm["weight"] / np.sqrt(norm["running_var"] + EPSILON)
        kernel = take(f"{layer}.conv.weight", (outputs, inputs, height, width)).transpose(2, 3, 1, 0)
        params[*path, "kernel"] = kernel * scale
        params[*path, "bias"] = norm["bias"] - norm["running_mean"] * scale
    return {"params": unflatten_dict({path: array.astype(np.float32) for path, array in params.items()})}


def _kernels(like):
    return [(path[:-1], leaf.shape) for path, leaf in flatten_dict(like).items() if path[-1] == "kernel"]
