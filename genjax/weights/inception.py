"""The weights of Inception v3 that define the Fréchet Inception distance, from their common file.

They are TensorFlow's of 2015-12-05 (Apache License 2.0), converted by the authors of pytorch-fid, and also used by
torch-fidelity. They are not packaged: 95 MB.
"""

import os
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from genjax.errors import InputError
from genjax.files import expand
from genjax.nets.inception import Inception
from genjax.weights import any_file, safetensors_file, torch_file

FILE = "pt_inception-2015-12-05-6726825d.pth"
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
EPSILON = 1e-3  # of batch normalization


class Weights(NamedTuple):
    """Variables of genjax.nets.inception.Inception, and the digest of their file."""

    variables: dict[str, Any]
    sha256: str  # of the file

    @property
    def published(self) -> bool:
        """Whether these are the weights that define the distance: values on other weights do not compare."""
        return self.sha256 == SHA256


def load(path: str | os.PathLike, sha256: str | None = SHA256) -> Weights:
    """The weights in a file that torch.save wrote, or in a safetensors file with the same names.

    The default accepts the published file alone. For any other file, and so for every safetensors file, pass its own
    `sha256`, or None, which accepts all files; their content is then not verified.
    Raises: InputError if the file is absent, unreadable, has another digest, or lacks layers of the net.
    """
    published = f"the Fréchet Inception distance is defined with {FILE} (SHA-256 {SHA256}, of pytorch-fid's releases)"
    path = expand(path)
    digest = any_file.digest(path, published)
    if sha256 is not None and digest != sha256.lower():
        advice = (
            f"to use this file all the same, under a name of its own, pass sha256={digest!r} (or --features=...@SHA256)"
        )
        raise InputError(f"{path} has SHA-256 {digest}, expected {sha256}; {published}; {advice}")
    expected = f"a file that torch.save wrote, as {FILE}, or a safetensors file"
    return Weights(convert(any_file.read(path, (safetensors_file, torch_file), expected), str(path)), digest)


def convert(tensors: dict[str, np.ndarray], source: str = "the weights") -> dict[str, Any]:
    """Tensors of the PyTorch net by its names to the variables of ours, batch normalization folded in (in float64).

    Messages call the tensors `source`. Shapes: kernels [O, I, h, w] -> [h, w, I, O].
    Raises: InputError if a tensor is absent or has another shape, or if a layer is not finite.
    """

    def take(name, shape):
        if name not in tensors:
            names = f"only {', '.join(map(repr, sorted(tensors)[:2]))}, ..." if tensors else "nor any other"
            raise InputError(f"{source}: no tensor {name!r}, {names}; expected Inception v3 as in {FILE}")
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
        with np.errstate(invalid="ignore"):  # NaNs are found below
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
