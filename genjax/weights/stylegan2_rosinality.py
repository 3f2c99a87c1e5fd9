"""StyleGAN2's nets from a checkpoint of rosinality/stylegan2-pytorch: "g_ema", and "g" and "d" where it has them.

That code is another implementation of arXiv:1912.04958 in PyTorch. Its tensors have the numbers of the authors' code
under other names, kernels of the layers that double the sides included.
"""

import math
import os
from collections.abc import Callable, Iterator, Mapping
from itertools import count, takewhile
from typing import Any

import numpy as np

from genjax.errors import InputError
from genjax.weights import torch_file
from genjax.weights.stylegan2 import (
    LATENTS,
    Tensors,
    Weights,
    critic,
    critic_channels,
    generator,
    generator_sizes,
    has_average,
    has_noise,
)

KIND = "a checkpoint of rosinality's stylegan2-pytorch"

GROUP = 4
"""Examples per group of the minibatch's standard deviation, strided; no file has it."""

LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9"
"""First bytes of `torch.save`'s older layout: a pickle of its number."""

LAYER = {
    "conv.weight": "weight",
    "conv.modulation.weight": "affine.weight",
    "conv.modulation.bias": "affine.bias",
    "conv.blur.kernel": "resample_filter",
    "noise.weight": "noise_strength",
    "activate.bias": "bias",
}
COLORS = {name: LAYER[name] for name in LAYER if "modulation" in name or name == "conv.weight"}
COLORS |= {"bias": "bias", "upsample.kernel": "resample_filter"}
BLOCK = {
    "conv1.0.weight": "conv0.weight",
    "conv1.1.bias": "conv0.bias",
    "conv2.0.kernel": "conv1.resample_filter",
    "conv2.1.weight": "conv1.weight",
    "conv2.2.bias": "conv1.bias",
    "skip.0.kernel": "skip.resample_filter",
    "skip.1.weight": "skip.weight",
}
LAST = {"final_conv.0.weight": "b4.conv.weight", "final_conv.1.bias": "b4.conv.bias"}
LAST |= {f"final_linear.{i}.{part}": f"b4.{('fc', 'out')[i]}.{part}" for i in (0, 1) for part in ("weight", "bias")}
"""Names within a layer of the generator, a stage's image, a block of the critic and its end: its own, the authors'."""


def recognizes(head: bytes) -> bool:
    """Whether a file that begins with these bytes can be of this kind."""
    return head.startswith((torch_file.ZIP, LEGACY))


def read(path: str | os.PathLike) -> Weights:
    """The nets of a checkpoint. Raises: InputError if it is none, is damaged, or has nets that genjax lacks."""
    with torch_file.refusing(path, KIND):
        contents = torch_file.values(path)
        if not isinstance(contents, dict) or not {"g_ema", "g"} & contents.keys():
            raise InputError(f"{path}: neither 'g_ema' nor 'g' is in it: expected {KIND}")
        arrays = {key: dict(_arrays(path, key, contents[key])) for key in ("g_ema", "g", "d") if key in contents}
        average = contents.get("latent_avg")
        if isinstance(average, torch_file.Tensor):
            for key in arrays.keys() & {"g_ema", "g"}:
                arrays[key]["latent_avg"] = average.array()
        return _weights(str(path), arrays, contents)


def _arrays(path: str | os.PathLike, key: str, state: Any) -> Iterator[tuple[str, np.ndarray]]:
    """The tensors of a state dict."""
    if not isinstance(state, dict):
        raise InputError(f"{path}: {key!r} is no state dict")
    for name, tensor in state.items():
        if not isinstance(name, str) or not isinstance(tensor, torch_file.Tensor):
            raise InputError(f"{path}: {key!r} has {ascii(name)[:60]}, which is no tensor")
        yield name, tensor.array()


def _weights(path: str, arrays: Mapping[str, dict[str, np.ndarray]], contents: Mapping[str, Any]) -> Weights:
    """The nets under our names."""
    sizes, variables = {}, {}
    notes = ["the optimizer's state and the mean path length are not carried over: Adam starts fresh"]
    for key, name in (("g", "generator"), ("g_ema", "average")):
        if key in arrays:
            tensors = Tensors(_renamed(arrays[key], "to_rgbs.{}.bias", generator_names), f"{path}: {key}")
            sizes[key] = generator_sizes(tensors)
            variables[name] = generator(tensors, sizes[key])
            fields = sizes[key].fields | {"stored_noise": has_noise(tensors)}
            tensors.check_rest((1, 4))
    size = next(iter(sizes.values()))
    if any(other != size for other in sizes.values()):
        raise InputError(f"{path}: g and g_ema are different nets")
    if not has_average(tensors):
        notes.append(f"it has no average of w: here it is that of {LATENTS:,} latents")
    nets = {"generator": fields}
    if "d" in arrays:
        tensors = Tensors(_renamed(arrays["d"], "convs.{}.skip.1.weight", critic_names), f"{path}: d")
        channels = critic_channels(tensors)
        if len(channels) != len(size.channels):
            raise InputError(f"{path}: d is of {len(channels)} stages, and g of {len(size.channels)}")
        nets["critic"] = {"channels": channels, "minibatch": "stddev_strided", "minibatch_group": GROUP}
        variables["critic"] = critic(tensors, channels, size.colors, statistic=True)
        tensors.check_rest((1,))
    options = contents.get("args")
    options = options if isinstance(options, dict) else {}
    numbers = {key: options.get(key) for key in ("batch", "lr", "r1")}
    if known := ", ".join(f"{key} {n}" for key, n in numbers.items() if isinstance(n, int | float)):
        notes.append(f"its options of training ({known}, ...) are not carried over: --config has those of the run")
    p = contents.get("ada_aug_p")
    adapts = options.get("augment") is True and isinstance(p, int | float) and 0 <= p < math.inf
    augmentation = (("blit", "geom", "color"), float(p)) if adapts else None
    return Weights(KIND, size.shape, size.latent, 0, nets, variables, augmentation, bool(options), tuple(notes))


def _renamed(arrays: Mapping[str, np.ndarray], stage: str, names: Callable[[int], dict[str, str]]):
    """Tensors by the names of the authors' code, in their shapes. `stage` names one of each stage but the first.

    Tensors that have no place there keep their names.
    """
    stages = 1 + len(list(takewhile(lambda i: stage.format(i + ("skip" in stage)) in arrays, count())))
    theirs = names(stages)
    return {theirs.get(name, name): _squeezed(theirs.get(name, ""), array) for name, array in arrays.items()}


def generator_names(stages: int) -> dict[str, str]:
    """The names of a generator's tensors: its own, the authors'."""
    names = {"input.input": "synthesis.b4.const", "latent_avg": "mapping.w_avg"}
    names |= {f"style.{i + 1}.{part}": f"mapping.fc{i}.{part}" for i in range(64) for part in ("weight", "bias")}
    for number in range(2 * stages - 1):
        layer = f"synthesis.b{4 << (number + 1) // 2}.conv{(number + 1) % 2}"
        own = f"convs.{number - 1}" if number else "conv1"
        names |= {f"{own}.{part}": f"{layer}.{LAYER[part]}" for part in LAYER}
        names[f"noises.noise_{number}"] = f"{layer}.noise_const"
    for stage in range(stages):
        own = f"to_rgbs.{stage - 1}" if stage else "to_rgb1"
        names |= {f"{own}.{part}": f"synthesis.b{4 << stage}.torgb.{COLORS[part]}" for part in COLORS}
    return names


def critic_names(stages: int) -> dict[str, str]:
    """The names of a critic's tensors: its own, the authors'."""
    side = 2 << stages
    names = LAST | {"convs.0.0.weight": f"b{side}.fromrgb.weight", "convs.0.1.bias": f"b{side}.fromrgb.bias"}
    for block in range(1, stages):
        names |= {f"convs.{block}.{part}": f"b{2 * side >> block}.{BLOCK[part]}" for part in BLOCK}
    return names


KEPT = {
    ("const", 4): slice(1, None),
    ("weight", 5): slice(1, None),
    ("noise_const", 4): slice(2, None),
    ("noise_strength", 1): slice(1, None),
    ("bias", 4): slice(1, 2),
    ("w_avg", 2): slice(1, None),
}
"""Of tensors with dimensions of size one that the authors' code lacks: the dimensions to keep, by name and number."""


def _squeezed(name: str, array: np.ndarray) -> np.ndarray:
    """A tensor in its shape in the authors' code, by its name there."""
    shape = array.shape[KEPT.get((name.rpartition(".")[2], array.ndim), slice(None))]
    return array.reshape(shape) if math.prod(shape) == array.size else array
