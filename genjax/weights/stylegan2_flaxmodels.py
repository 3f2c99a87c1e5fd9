"""StyleGAN2's generator from an .h5 of matthias-wright/flaxmodels, whose numbers are of the authors' TensorFlow code.

Kernels of the layers that double the sides are not turned there, and biases of styles are without their 1. The critic,
which has a file of its own there, is not read.
"""

import os
import re
from collections.abc import Mapping

import numpy as np

from genjax.errors import InputError
from genjax.weights import h5_file, torch_file
from genjax.weights.stylegan2 import Tensors, Weights, generator, generator_sizes, has_noise

KIND = "a generator of flaxmodels (.h5)"

LAYER = {
    "conv/weight": "weight",
    "conv/bias": "bias",
    "affine/weight": "affine.weight",
    "affine/bias": "affine.bias",
    "noise_strength": "noise_strength",
    "noise_const": "noise_const",
}
"""Names within a layer: its own, the authors' PyTorch code's."""


def recognizes(head: bytes) -> bool:
    """Whether a file that begins with these bytes can be of this kind."""
    return h5_file.recognizes(head)


def read(path: str | os.PathLike) -> Weights:
    """The generator of a file. Raises: InputError if it has none, is damaged, or has a net that genjax lacks."""
    with torch_file.refusing(path, KIND):
        return _weights(str(path), h5_file.read(path))


def _weights(path: str, arrays: Mapping[str, np.ndarray]) -> Weights:
    """The generator under our names."""
    if "mapping_network/label_embedding/weight" in arrays:
        raise InputError(f"{path}: its generator has classes, which are not converted from files of this kind")
    if not any(name.startswith("synthesis_network/") for name in arrays):
        names = ", ".join(sorted(arrays)[:2]) or "no arrays"
        raise InputError(f"{path}: it has {names}: expected {KIND}, with synthesis_network/ and mapping_network/")
    tensors = Tensors({_name(name): _oriented(name, array) for name, array in arrays.items()}, path)
    size = generator_sizes(tensors)
    variables = generator(tensors, size)
    tensors.check_rest()
    fields = size.fields | {"stored_noise": has_noise(tensors)}
    note = "it has the averaged generator alone: the critic begins with random weights"
    return Weights(
        KIND, size.shape, size.latent, 0, {"generator": fields}, {"average": variables}, None, False, (note,)
    )


def _name(name: str) -> str:
    """The name in the authors' PyTorch code of an array; one that is not known is left."""
    if match := re.fullmatch(r"mapping_network/(?:(fc\d+)/(weight|bias)|(w_avg))", name):
        return f"mapping.{match[3]}" if match[3] else f"mapping.{match[1]}.{match[2]}"
    if name == "synthesis_network/const":
        return "synthesis.b4.const"
    match = re.fullmatch(r"synthesis_network/block_(\d+)x\1/(layer0|layer1|torgb)/(.*)", name)
    if not match or match[3] not in LAYER:
        return name
    first = "conv1" if match[1] == "4" else "conv0"
    layer = {"layer0": first, "layer1": "conv1", "torgb": "torgb"}[match[2]]
    return f"synthesis.b{match[1]}.{layer}.{LAYER[match[3]]}"


def _oriented(name: str, array: np.ndarray) -> np.ndarray:
    """An array in the shape of the authors' PyTorch code.

    Shapes: constant [1, 4, 4, C] -> [C, 4, 4]; kernels [H, W, I, O] -> [O, I, H, W] and [I, O] -> [O, I]; noise with
    dimensions of size one -> [H, W].
    """
    if name.endswith("/noise_const"):
        return array.reshape([n for n in array.shape if n > 1])
    if name.endswith("/noise_strength"):
        return array.reshape(()) if array.size == 1 else array
    if name.endswith("/const") and array.ndim == 4:
        return array[0].transpose(2, 0, 1) if len(array) == 1 else array
    if name.endswith("affine/bias"):
        return array + np.float32(1)
    if not name.endswith("/weight"):
        return array
    if array.ndim != 4:
        return array.T
    doubles = "/layer0/" in name and "/block_4x4/" not in name
    return (array[::-1, ::-1] if doubles else array).transpose(3, 2, 0, 1)
