"""StyleGAN2's variables under our names, from tensors under those of its authors' PyTorch code.

Source: the code of arXiv:2006.06676. Numbers are stored in the same scale on both sides: gains, the mapping's learning
rate and filters are applied when a net runs. Readers of other formats give their tensors these names first.
"""

from collections.abc import Iterator, Mapping
from itertools import count, takewhile
from typing import Any, NamedTuple

import numpy as np
from flax.traverse_util import unflatten_dict

from genjax.errors import InputError
from genjax.nets.mapping import LR_MULTIPLIER

LATENTS = 10_000
"""Number of latents of the average of w, for files that do not have it."""

FILTER = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64
"""Of all layers that change the size."""


class Weights(NamedTuple):
    """The nets of a file. `variables` are by net, "generator", "critic" and "average" (the averaged generator).

    Nets that the file lacks are absent.
    """

    kind: str  # of the file, in words
    shape: tuple[int, int, int]  # of images
    latent: int
    classes: int  # 0: none
    fields: dict[str, dict[str, Any]]  # of genjax.nets.stylegan2.Generator ("generator") and Critic ("critic")
    variables: dict[str, dict[str, Any]]  # each by collection
    augmentation: tuple[tuple[str, ...], float] | None  # sets of adaptive transformations, and their probability
    mirror: bool  # whether training saw mirror images as well
    notes: tuple[str, ...]  # lines on what is not carried over


class Tensors:
    """Tensors by name, whose shapes are checked when they are taken; messages begin with `source`."""

    def __init__(self, arrays: Mapping[str, np.ndarray], source: str):
        self.arrays, self.source = arrays, source
        self._left = set(arrays)

    def __contains__(self, name: str) -> bool:
        return name in self.arrays

    def take(self, name: str, *shape: int) -> np.ndarray:
        """A tensor as float32. Raises: InputError if it is absent, of another shape or type, or not finite."""
        array = self.array(name)
        self._left.discard(name)
        if array.shape != shape:
            raise InputError(f"{self.source}: {name} has shape {array.shape}, expected {shape}")
        with np.errstate(over="ignore"):  # numbers too large for float32 are found below
            array = np.array(array, np.float32)
        if not np.isfinite(array).all():
            raise InputError(f"{self.source}: {name} is not finite: the file is damaged")
        return array

    def check_rest(self, filter_sums: tuple[float, ...] = (1,)) -> None:
        """Raises: InputError naming a tensor that was not taken, unless it is a filter with one of some sums."""
        for name in sorted(self._left):
            if not name.endswith("resample_filter"):
                raise InputError(f"{self.source}: {ascii(name)[1:-1][:60]} has no place in genjax's StyleGAN2")
            array = self.arrays[name]
            if not any(array.shape == FILTER.shape and np.allclose(array, n * FILTER, 1e-6, 0) for n in filter_sums):
                shown = ascii(name)[1:-1][:60]
                raise InputError(f"{self.source}: {shown} is not that of [1, 3, 3, 1], which genjax's StyleGAN2 has")

    def array(self, name: str, dimensions: int | None = None) -> np.ndarray:
        """A tensor in its own type. Raises: InputError if it is absent, has other dimensions, or is of integers."""
        if name not in self.arrays:
            raise InputError(f"{self.source}: no tensor {name}, which a StyleGAN2 of its kind has")
        array = self.arrays[name]
        if array.dtype.kind != "f" or (dimensions is not None and array.ndim != dimensions):
            expected = "" if dimensions is None else f" of {dimensions} dimensions"
            raise InputError(f"{self.source}: {name} is {array.dtype} {array.shape}, expected floating point{expected}")
        return array


class Sizes(NamedTuple):
    """The sizes of a generator."""

    latent: int
    width: int
    layers: int
    channels: tuple[int, ...]
    colors: int
    classes: int  # 0: none

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of its images."""
        side = 2 ** (len(self.channels) + 1)
        return side, side, self.colors

    @property
    def fields(self) -> dict[str, Any]:
        """The sizes that are fields of our generator."""
        return {"channels": self.channels, "width": self.width, "layers": self.layers}


def sides() -> Iterator[int]:
    """4, 8, 16, ..."""
    return (2**n for n in count(2))


def generator_sizes(tensors: Tensors) -> Sizes:
    """The sizes that the shapes of a generator's tensors have. Raises: InputError if it lacks the first of them."""
    width, inputs = tensors.array("mapping.fc0.weight", 2).shape
    colors = tensors.array("synthesis.b4.torgb.weight", 4).shape[0]
    classes = classes_of(tensors)
    names = takewhile(lambda name: name in tensors, (f"synthesis.b{side}.conv1.weight" for side in sides()))
    channels = tuple(tensors.array(name, 4).shape[0] for name in names)
    if not channels:
        raise InputError(f"{tensors.source}: no tensor synthesis.b4.conv1.weight, which a StyleGAN2 of its kind has")
    size = Sizes(inputs - width * bool(classes), width, mapping_layers(tensors), channels, colors, classes)
    if min(size.latent, width, *channels) < 1 or colors not in (1, 3):
        raise InputError(f"{tensors.source} is of {size}: expected images of 1 or 3 channels, and sizes of at least 1")
    return size


def classes_of(tensors: Tensors) -> int:
    """The number of classes that a net's mapping embeds; 0 without."""
    return tensors.array("mapping.embed.weight", 2).shape[1] if "mapping.embed.weight" in tensors else 0


def mapping_layers(tensors: Tensors) -> int:
    """The number of dense layers of a net's mapping."""
    return len(list(takewhile(lambda i: f"mapping.fc{i}.weight" in tensors, count())))


def generator(tensors: Tensors, sizes: Sizes) -> dict[str, Any]:
    """The variables of our generator: "params", "average", and "noise" if the tensors have constant noise.

    Raises: InputError as `Tensors.take`, and if some layers lack noise that others have.
    """
    take, channels = tensors.take, sizes.channels
    params = _mapping(tensors, sizes.latent, sizes.width, sizes.layers, sizes.classes)
    params["constant",] = take("synthesis.b4.const", channels[0], 4, 4).transpose(1, 2, 0)
    buffers = {}
    for number in range(2 * len(channels) - 1):
        stage = (number + 1) // 2
        inputs, outputs = channels[number // 2], channels[stage]
        side, up = 4 * 2**stage, number % 2 == 1
        name, ours = f"synthesis.b{side}.conv{0 if up else 1}", f"convs_{number}"
        params |= _modulated(tensors, name, ours, sizes.width, (outputs, inputs, 3), turned=up)
        params[ours, "noise_scale"] = take(f"{name}.noise_strength")
        if has_noise(tensors):
            buffers[ours, "constant"] = take(f"{name}.noise_const", side, side)[None, :, :, None]
    for stage, inputs in enumerate(channels):
        name = f"synthesis.b{4 * 2**stage}.torgb"
        params |= _modulated(tensors, name, f"to_rgb_{stage}", sizes.width, (sizes.colors, inputs, 1))
    variables = {"params": unflatten_dict(params)}
    average = take("mapping.w_avg", sizes.width) if has_average(tensors) else average_w(variables["params"]["mapping"])
    variables["average"] = {"mapping": {"w_avg": average}}
    return variables | ({"noise": unflatten_dict(buffers)} if buffers else {})


def has_noise(tensors: Tensors) -> bool:
    """Whether a generator's tensors have constant noise."""
    return "synthesis.b4.conv1.noise_const" in tensors


def has_average(tensors: Tensors) -> bool:
    """Whether a generator's tensors have the average of w."""
    return "mapping.w_avg" in tensors


def average_w(mapping: Mapping[str, Mapping[str, np.ndarray]]) -> np.ndarray:
    """The mean w of `LATENTS` latents of a fixed seed, by the layers "dense_0", ... Shapes: -> [width]."""
    first = mapping["dense_0"]["kernel"]
    x = np.random.default_rng(0).normal(size=(LATENTS, len(first))).astype(np.float32)
    x /= np.sqrt((x**2).mean(1, keepdims=True) + 1e-8)
    for i in range(len(mapping)):
        layer = mapping[f"dense_{i}"]
        x = LR_MULTIPLIER * (x @ (layer["kernel"] / np.sqrt(x.shape[1], dtype=np.float32)) + layer["bias"])
        x = np.sqrt(2, dtype=np.float32) * np.maximum(x, 0.2 * x)
    return x.mean(0)


def critic_channels(tensors: Tensors) -> tuple[int, ...]:
    """The channels of a critic's stages, from 4x4 pixels on. Raises: InputError if it lacks the last layers."""
    names = takewhile(lambda name: name in tensors, (f"b{side}.conv0.weight" for side in sides() if side > 4))
    return (tensors.array("b4.conv.weight", 4).shape[0], *(tensors.array(name, 4).shape[1] for name in names))


def critic(
    tensors: Tensors, channels: tuple[int, ...], colors: int, statistic: bool, residual: bool = True, layers: int = 0
) -> dict[str, Any]:
    """The variables of our critic, with a statistic of the minibatch beside its 4x4 maps or not.

    With classes it has a mapping of `layers` layers.

    Raises: InputError as `Tensors.take`.
    """
    first, last = channels[0], channels[-1]
    params = _conv(tensors, f"b{2 ** (len(channels) + 1)}.fromrgb", ("Conv_0",), colors, last, 1)
    for block in range(len(channels) - 1):
        name = f"b{2 ** (len(channels) + 1 - block)}"
        inputs, outputs = channels[-1 - block], channels[-2 - block]
        ours = f"Block_{block}"
        params |= _conv(tensors, f"{name}.conv0", (ours, "Conv_0"), inputs, inputs)
        params |= _conv(tensors, f"{name}.conv1", (ours, "Conv_1"), inputs, outputs)
        if residual:
            params[ours, "Conv_2", "kernel"] = _kernel(tensors.take(f"{name}.skip.weight", outputs, inputs, 1, 1))
    params |= _conv(tensors, "b4.conv", ("Conv_1",), first + statistic, first)
    classes = classes_of(tensors)
    params |= _dense(tensors, "b4.out", ("Dense_1",), first, first if classes else 1)
    params |= _mapping(tensors, 0, first, layers, classes) if classes else {}
    params["Dense_0", "bias"] = tensors.take("b4.fc.bias", first)
    maps = tensors.take("b4.fc.weight", first, 16 * first).reshape(first, first, 4, 4)  # of NCHW
    params["Dense_0", "kernel"] = np.ascontiguousarray(maps.transpose(2, 3, 1, 0)).reshape(16 * first, first)
    return {"params": unflatten_dict(params)}


def _mapping(tensors: Tensors, latent: int, width: int, layers: int, classes: int) -> dict[tuple, np.ndarray]:
    """The dense layers of a mapping, and the embedding of classes, which follows the latents."""
    params = _dense(tensors, "mapping.embed", ("mapping", "embed"), classes, width) if classes else {}
    for i in range(layers):
        inputs = width if i else latent + width * bool(classes)
        params |= _dense(tensors, f"mapping.fc{i}", ("mapping", f"dense_{i}"), inputs, width)
    return params


def _dense(tensors: Tensors, name: str, ours: tuple[str, ...], inputs: int, outputs: int) -> dict[tuple, np.ndarray]:
    """A dense layer. Shapes: [O, I] -> [I, O]."""
    kernel = np.ascontiguousarray(tensors.take(f"{name}.weight", outputs, inputs).T)
    return {(*ours, "kernel"): kernel, (*ours, "bias"): tensors.take(f"{name}.bias", outputs)}


def _conv(
    tensors: Tensors, name: str, ours: tuple[str, ...], inputs: int, outputs: int, side: int = 3
) -> dict[tuple, np.ndarray]:
    """A convolution. Shapes: [O, I, side, side] -> [side, side, I, O]."""
    kernel = _kernel(tensors.take(f"{name}.weight", outputs, inputs, side, side))
    return {(*ours, "kernel"): kernel, (*ours, "bias"): tensors.take(f"{name}.bias", outputs)}


def _modulated(
    tensors: Tensors, name: str, ours: str, width: int, size: tuple[int, int, int], turned: bool = False
) -> dict[tuple, np.ndarray]:
    """A modulated convolution with its bias and the map to its style; `size` is outputs, inputs, side.

    `turned`: the layer doubles the sides. Authors' code: by a transposed convolution; here: by a convolution over
    zeros in between, so its kernel is turned by 180 degrees.
    """
    outputs, inputs, side = size
    kernel = _kernel(tensors.take(f"{name}.weight", outputs, inputs, side, side))
    conv = (ours, "ModulatedConv_0")
    return {
        (*conv, "kernel"): np.ascontiguousarray(kernel[::-1, ::-1]) if turned else kernel,
        **_dense(tensors, f"{name}.affine", (*conv, "style"), width, inputs),
        (ours, "bias"): tensors.take(f"{name}.bias", outputs),
    }


def _kernel(weight: np.ndarray) -> np.ndarray:
    """Shapes: [O, I, H, W] -> [H, W, I, O]."""
    return np.ascontiguousarray(weight.transpose(2, 3, 1, 0))
