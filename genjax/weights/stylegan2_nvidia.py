"""StyleGAN2's nets from a pickle of NVlabs/stylegan2-ada-pytorch: G_ema, G, D and the augmentation.

Source: the code of arXiv:2006.06676. What a module does follows from its class and from the attributes that its state
has, not from the source that comes with it. Those that differ from our nets are refused by name.
"""

import os
from collections.abc import Mapping
from fnmatch import fnmatch
from typing import Any, NamedTuple

import numpy as np

from genjax.errors import InputError
from genjax.nets.mapping import DECAY, LR_MULTIPLIER
from genjax.weights import nvidia_pickle, pickled, torch_file
from genjax.weights.nvidia_pickle import Module
from genjax.weights.stylegan2 import (
    Sizes,
    Tensors,
    Weights,
    classes_of,
    critic,
    critic_channels,
    generator,
    generator_sizes,
    mapping_layers,
)

KIND = "a pickle of stylegan2-ada-pytorch"

Expected = dict[str, tuple[str, dict[str, Any]]]

GENERATOR: Expected = {
    "": ("Generator", {}),
    "mapping": ("MappingNetwork", {}),
    "mapping.embed": ("FullyConnectedLayer", {"activation": "linear", "bias_gain": 1}),
    "mapping.fc*": ("FullyConnectedLayer", {"activation": "lrelu", "bias_gain": LR_MULTIPLIER}),
    "synthesis": ("SynthesisNetwork", {}),
    "synthesis.b*": ("SynthesisBlock", {"architecture": "skip"}),
    "synthesis.b*.conv0": ("SynthesisLayer", {"activation": "lrelu", "use_noise": True, "up": 2}),
    "synthesis.b*.conv1": ("SynthesisLayer", {"activation": "lrelu", "use_noise": True, "up": 1}),
    "synthesis.b*.torgb": ("ToRGBLayer", {}),
    "synthesis.b*.*.affine": ("FullyConnectedLayer", {"activation": "linear", "bias_gain": 1}),
}
"""By paths of modules: the class, and attributes as they are in our net, or a choice of them."""

CRITIC: Expected = {
    "": ("Discriminator", {}),
    "mapping": ("MappingNetwork", {}),
    "mapping.embed": ("FullyConnectedLayer", {"activation": "linear", "bias_gain": 1}),
    "mapping.fc*": ("FullyConnectedLayer", {"activation": "lrelu", "bias_gain": LR_MULTIPLIER}),
    "b4": ("DiscriminatorEpilogue", {"architecture": ("resnet", "orig")}),
    "b4.mbstd": ("MinibatchStdLayer", {"num_channels": 1}),
    "b4.conv": ("Conv2dLayer", {"activation": "lrelu", "up": 1, "down": 1}),
    "b4.fc": ("FullyConnectedLayer", {"activation": "lrelu", "bias_gain": 1}),
    "b4.out": ("FullyConnectedLayer", {"activation": "linear", "bias_gain": 1}),
    "b*": ("DiscriminatorBlock", {"architecture": ("resnet", "orig")}),
    "b*.fromrgb": ("Conv2dLayer", {"activation": "lrelu", "up": 1, "down": 1}),
    "b*.conv0": ("Conv2dLayer", {"activation": "lrelu", "up": 1, "down": 1}),
    "b*.conv1": ("Conv2dLayer", {"activation": "lrelu", "up": 1, "down": 2}),
    "b*.skip": ("Conv2dLayer", {"activation": "linear", "up": 1, "down": 2}),
}

PARTS = {
    "blit": ("xflip", "rotate90", "xint"),
    "geom": ("scale", "rotate", "aniso", "xfrac"),
    "color": ("brightness", "contrast", "lumaflip", "hue", "saturation"),
    "filter": ("imgfilter",),
    "noise": ("noise",),
    "cutout": ("cutout",),
}
"""The augmentation's multipliers of probability, which are 0 or 1, by sets of transformations."""


class Net(NamedTuple):
    """One of a pickle's nets."""

    source: str  # for messages: the file and the net's name
    modules: dict[str, Module]  # by dotted path
    arrays: dict[str, np.ndarray]


def recognizes(head: bytes) -> bool:
    """Whether a file that begins with these bytes can be of this kind."""
    return head.startswith(torch_file.PICKLE)


def read(path: str | os.PathLike) -> Weights:
    """The nets of a pickle. Raises: InputError if it is none, is damaged, or has nets that genjax lacks."""
    with torch_file.refusing(path, KIND):
        contents = nvidia_pickle.read(path)
        nets = {}
        for key in ("G_ema", "G", "D", "augment_pipe"):
            if contents.get(key) is not None:
                modules = nvidia_pickle.modules(contents[key])
                nets[key] = Net(f"{path}: {key}", modules, nvidia_pickle.tensors(modules))
        if not nets.keys() & {"G", "G_ema"}:
            raise pickled.Refused("it has no G_ema and no G")
        return _weights(str(path), nets, contents.get("training_set_kwargs"))


def _weights(path: str, nets: Mapping[str, Net], data: Any) -> Weights:
    """The nets under our names."""
    sizes, fields, variables = {}, {}, {}
    for key, name in (("G", "generator"), ("G_ema", "average")):
        if key in nets:
            sizes[key], fields[key], variables[name] = _generator(nets[key])
    size, generator_fields = next((sizes[key], fields[key]) for key in sizes)
    if any(sizes[key] != size or fields[key] != generator_fields for key in sizes):
        raise InputError(f"{path}: G and G_ema are different nets")
    fields = {"generator": generator_fields}
    if "D" in nets:
        fields["critic"], variables["critic"] = _critic(nets["D"], size)
    notes = [
        "a pickle has neither the optimizer's state nor the mean path length nor the options of training: Adam starts "
        "fresh, and batch, learning rates and penalties are the config's"
    ]
    if any(module.state.get("use_fp16") for net in nets.values() for module in net.modules.values()):
        notes.append("half precision is not applied: all layers compute in the config's dtype, float32")
    decays = {net.modules["mapping"].state.get("w_avg_beta", DECAY) for key, net in nets.items() if key in sizes}
    if decays != {DECAY}:
        notes.append(f"the average of w moves with the decay {DECAY}, not with the pickle's")
    augmentation = _augmentation(nets["augment_pipe"], notes) if "augment_pipe" in nets else None
    mirror = isinstance(data, dict) and data.get("xflip") is True
    return Weights(KIND, size.shape, size.latent, size.classes, fields, variables, augmentation, mirror, tuple(notes))


def _generator(net: Net) -> tuple[Sizes, dict[str, Any], dict[str, Any]]:
    """Sizes, fields and variables of G or G_ema."""
    _check(net, GENERATOR)
    tensors = Tensors(net.arrays, net.source)
    size = generator_sizes(tensors)
    variables = generator(tensors, size)
    tensors.check_rest()
    return size, size.fields | {"stored_noise": True, "conv_clamp": _clamp(net)}, variables


def _critic(net: Net, size: Sizes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Fields and variables of D."""
    _check(net, CRITIC)
    tensors = Tensors(net.arrays, net.source)
    architectures = {module.state.get("architecture") for module in net.modules.values()} - {None}
    if len(architectures) > 1:
        raise InputError(f"{net.source} has blocks of the architectures {' and '.join(sorted(architectures))}")
    residual = "orig" not in architectures
    fields = {"channels": critic_channels(tensors), "conv_clamp": _clamp(net), "residual": residual, "minibatch": ""}
    if len(fields["channels"]) != len(size.channels):
        raise InputError(f"{net.source} is of {len(fields['channels'])} stages, and G of {len(size.channels)}")
    if "b4.mbstd" in net.modules:
        group = net.modules["b4.mbstd"].state.get("group_size")
        if type(group) is not int or group < 1:
            raise InputError(f"{net.source} has mbstd_group_size {group!r:.20}: genjax has a number of examples")
        fields |= {"minibatch": "stddev_strided", "minibatch_group": group}
    if classes_of(tensors) != size.classes:
        raise InputError(f"{net.source} has {classes_of(tensors)} classes, and G {size.classes}")
    fields |= {"layers": mapping_layers(tensors)} if size.classes else {}
    layers = fields.get("layers", 0)
    variables = critic(tensors, fields["channels"], size.colors, "b4.mbstd" in net.modules, residual, layers)
    tensors.check_rest()
    return fields, variables


def _check(net: Net, expected: Expected) -> None:
    """Refuse modules that compute something else than our nets, by name. Raises: InputError."""
    for path, module in net.modules.items():
        where = f"{net.source}.{ascii(path)[1:-1][:60]}".rstrip(".")
        kind, attributes = next((expected[pattern] for pattern in expected if _matches(path, pattern)), ("", {}))
        if module.name != kind:
            known = f"a {kind} was expected" if kind else "genjax's StyleGAN2 has none there"
            raise InputError(f"{where} is a {ascii(module.name)[1:-1][:40]}: {known}")
        for attribute, value in attributes.items():
            choices = value if isinstance(value, tuple) else (value,)
            got = module.state.get(attribute, choices[0])
            if not isinstance(got, pickled.SCALARS) or got not in choices:
                known = " or ".join(map(repr, choices))
                raise InputError(f"{where} has {attribute} {got!r:.40}: genjax's StyleGAN2 has {known}")


def _matches(path: str, pattern: str) -> bool:
    """Whether each name of a dotted path has its pattern."""
    names, patterns = path.split("."), pattern.split(".")
    return len(names) == len(patterns) and all(map(fnmatch, names, patterns))


def _clamp(net: Net) -> float:
    """The conv_clamp that all activated convolutions of a net have; 0: none. Raises: InputError if they differ."""
    layers = (module.state for path, module in net.modules.items() if not path.endswith(".skip"))
    values = {state["conv_clamp"] or 0 for state in layers if "conv_clamp" in state}
    if len(values) > 1 or not all(isinstance(value, int | float) for value in values):
        raise InputError(f"{net.source} has layers with different values of conv_clamp: genjax's nets have one")
    return float(next(iter(values), 0))


def _augmentation(net: Net, notes: list[str]) -> tuple[tuple[str, ...], float] | None:
    """The sets of transformations and their probability, None for those that are not whole."""
    state = net.modules[""].state
    chances = {part: {state.get(name, 0) for name in names} for part, names in PARTS.items()}
    p = net.arrays.get("p", np.float32(np.nan))
    if not all(values in ({0}, {1}) for values in chances.values()) or p.shape or not 0 <= p < np.inf:
        notes.append("the augmentation is not carried over: some transformations have probabilities of their own")
        return None
    return tuple(part for part, values in chances.items() if values == {1}), float(p)
