"""Configs: the keys that every task has, and checks whose messages name the mistake."""

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from ml_collections import ConfigDict

from genjax.errors import InputError, did_you_mean
from genjax.extensions import find

NOISE = ("constant", "random", "none")
"""Noise in the layers of a StyleGAN's samples: the same for all of them, the default, or each seed's own, or none."""


def defaults(task: str) -> ConfigDict:
    """The keys that every task has. Durations are in steps."""
    c = ConfigDict()
    c.task = task
    c.seed = 0  # of all randomness: weights, order of the data, noise
    c.steps = 10_000
    c.batch = 32  # real examples per update, over all devices
    c.dtype = "float32"  # of products, convolutions and activations; or "bfloat16"; weights stay in float32
    c.precision = "default"  # of products and convolutions, of genjax.engine.precision.PRECISIONS
    c.data = ConfigDict(
        {
            "name": "fashion_mnist_10k",  # see docs/data.md
            "split": "train",  # slices as in "train[:55000]", "train[90%:]"
            "size": "",  # "64" or "64x48" (height x width); "" leaves images as they are
            "channels": 0,  # 1 gray, 3 color, 2 and 4 with alpha, or 0 for those of the files, without alpha
            "bits": 8,  # per channel, of images in memory and of samples; 16 keeps those of files and arrays
            "resize": "crop",  # or "squash", "pad", "frame"
            "upscale": False,  # True to enlarge images smaller than `size`, which are refused otherwise
            "range": "",  # black and white of 16-bit and floating-point images, "0,4095"; "": those of the type
            "labels": "",  # a table of labels by file name, "FILE" or "FILE:COLUMN"; "": see docs/data.md
            "mirror": False,  # True to train on each image and its mirror image; evaluations compare with the former
            "skip_broken": False,  # True to leave out broken images, which are refused otherwise
            "dir": "",  # folder of prepared TFDS data sets; "": the default of TFDS
            "resident_gib": 1.0,  # data sets up to this size live on the device, larger ones stream
            "workers": 0,  # processes that read streamed data, by Grain; 0: a thread of the run's own
        }
    )
    c.eval = ConfigDict(  # evaluation during training, against the run's own data; see docs/metrics.md
        {
            "every": 0,  # steps between evaluations; 0: never
            "metrics": "frechet,precision_recall",
            "features": "squeezenet",
            "samples": 2000,
            "classes": "reference",  # those of samples: in the shares of the data, or "uniform"
            "noise": "constant",  # in a StyleGAN's layers, the same for all samples; or "random", "none"
            "heldout": "",  # the split for accuracies and reconstructions; "": "test"
            "budget": 0.1,  # largest share of the run's time; the last step is always evaluated
            "best": "",  # a metric or a value's label by which the best checkpoint is kept as well; "": none
            "patience": 0,  # stop after n evaluations without a better one; 0: never
        }
    )
    c.init = ConfigDict(  # first weights from elsewhere; see docs/fine_tuning.md
        {
            "weights": "",  # a run's folder, or a safetensors file; "": random ones
            "step": "",  # of a run: a number, "best", or "" for the newest checkpoint
            "only": "",  # nets and parts of nets that get them, "generator,critic/Block_0"; "": all
        }
    )
    c.log = ConfigDict(  # where what is logged goes besides the run's folder; see docs/experiments.md
        {
            "trackers": "",  # of tensorboard, wandb, mlflow, trackio, with commas
            "project": "genjax",  # the project or experiment of wandb, mlflow and trackio
        }
    )
    c.log_every = 50
    c.sample_every = 500
    c.save_every = 1000
    c.keep = 3  # number of newest checkpoints to keep
    c.samples = 64  # images in a grid
    return c


def variant(config: ConfigDict, name: str, **variants: Mapping[str, Any]) -> ConfigDict:
    """Apply the overrides (dotted keys) of a config's variant, as in `--config=configs/gan.py:smoke`.

    Raises: InputError for a variant that the config does not have.
    """
    if name:
        config.update_from_flattened_dict(pick(variants, name, "config variant"))
    return config


def override(config: ConfigDict, overrides: Mapping[str, Any]) -> None:
    """Set dotted keys; a mapping replaces a whole part, as {"critic": {"net": "mlp"}}.

    Raises: InputError for an unknown part, or a value of another type. The keys of a replaced part are checked by its
    task.
    """
    with config.unlocked():
        for key, value in overrides.items():
            *parts, last = key.split(".")
            node = config
            for i, part in enumerate(parts):
                if not isinstance(node.get(part), ConfigDict):
                    known = {name.rpartition(".")[0] for name in flat(config)} | set(flat(config))
                    wrong = ".".join(parts[: i + 1])
                    raise InputError(f"{key!r}: the config has no part {wrong!r}{did_you_mean(key, known)}")
                node = node[part]
            try:
                node[last] = ConfigDict(value) if isinstance(value, Mapping) else value
            except (TypeError, ValueError) as error:
                raise InputError(f"{key}={value!r}: expected {type(node[last]).__name__}, as {node[last]!r}") from error


SMOKE = {"steps": 4, "batch": 8, "log_every": 2, "sample_every": 2, "save_every": 2, "samples": 4}
"""Overrides that make any config finish in seconds."""


def pick(choices: Collection[str], name: str, key: str) -> Any:
    """choices[name] of a mapping, or `name` itself of another collection. `key` is the config's, for messages.

    Raises: InputError that lists the choices.
    """
    if name not in choices:
        known = ", ".join(map(repr, choices))
        raise InputError(f"{key}: no {name!r}{did_you_mean(name, choices)}; choose from {known}")
    return choices[name] if isinstance(choices, Mapping) else name


def need_fields(net: Any) -> None:
    """Raises: InputError for an object that is no class with fields, as Linen modules are."""
    if not (isinstance(net, type) and dataclasses.is_dataclass(net)):
        raise InputError(f"expected a class derived from flax.linen.Module, but it is {net!r}")


def construct(
    classes: Mapping[str, type],
    config: ConfigDict,
    section: str,
    check: Callable[[Any], None] = need_fields,
    /,
    **fixed: Any,
) -> Any:
    """A Linen module from a section of a config: `net` names the class, the other keys are its fields.

    `fixed` are the fields that the task sets. The net's `CHOICES`, if any, lists the names that a field can have.
    `check` is the contract of a net that is named "package.module:name" (`genjax.nets.contracts`).

    Raises: InputError for unknown nets, unknown fields, and fields of the wrong type or not among their choices.
    """
    if "net" not in config:
        raise InputError(f"{section} has no key 'net', which names its class")
    cls = find(classes, config.net, f"{section}.net", check)
    hints = typing.get_type_hints(cls)
    fields = {field.name for field in dataclasses.fields(cls)} - {"parent", "name"}
    if missing := fixed.keys() - fields:
        raise InputError(
            f"{section}.net={config.net!r}: the net lacks the fields {sorted(missing)}, which the task sets"
        )
    choices = getattr(cls, "CHOICES", {})
    options = {key: tuple(value) if isinstance(value, list) else value for key, value in config.items() if key != "net"}
    for key, value in options.items():
        if key not in fields - fixed.keys():
            raise InputError(f"{section}.{key}: the {config.net} net has no such field{did_you_mean(key, fields)}")
        if not _is_a(value, hints[key]):
            expected = getattr(hints[key], "__name__", hints[key]) if not typing.get_args(hints[key]) else hints[key]
            raise InputError(f"{section}.{key}={value!r}: expected {expected}")
        if isinstance(value, tuple) and any(isinstance(n, int) and n < 1 for n in value):
            raise InputError(f"{section}.{key}={value!r}: expected sizes of at least 1")
        if key in choices:
            pick(choices[key], value, f"{section}.{key}")
    return cls(**options, **fixed)


def _is_a(value, hint) -> bool:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        return isinstance(value, tuple) and all(_is_a(v, args[0]) for v in value)
    if origin in (typing.Union, types.UnionType):
        return any(_is_a(value, arg) for arg in args)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, hint) and (hint is bool or not isinstance(value, bool))


UNLIMITED = (("data.resident_gib", math.inf), ("eval.budget", math.inf), ("ema.ramp", math.inf))
"""Keys with the values for which infinity has a meaning: no limit."""


def check(config: ConfigDict, template: ConfigDict) -> None:
    """Raises: InputError for unknown or missing keys, wrong types, NaN, and values that no task can run with.

    `template` is the task's own config. Sections with a key "net" are checked where the nets are made.
    """
    for key, value in flat(config).items():
        numbers = value if isinstance(value, list) else [value]
        if any(isinstance(n, float) and not math.isfinite(n) for n in numbers) and (key, value) not in UNLIMITED:
            raise InputError(f"{key}={value!r}: expected finite numbers")
    nets = _sections_of_nets(template)
    known = {key: value for key, value in flat(template).items() if not key.startswith(nets)}
    values = {key: value for key, value in flat(config).items() if not key.startswith(nets)}
    for key in unknown_keys(config, template):
        raise InputError(f"the config has an unknown key {key!r}{did_you_mean(key, known)}")
    for key in known.keys() - values.keys():
        raise InputError(f"the config lacks the key {key!r}: start from genjax.tasks.{config.task}.config()")
    for key, value in values.items():
        if not _is_a(value, type(known[key])):
            raise InputError(f"{key}={value!r}: expected {type(known[key]).__name__}, as {known[key]!r}")
    for key in ("steps", "batch", "log_every", "sample_every", "save_every", "keep", "samples"):
        if not 1 <= config[key] < 2**31:
            raise InputError(f"{key}={config[key]}: expected at least 1, and less than 2**31")
    if not 0 <= config.seed < 2**32:
        raise InputError(f"seed={config.seed}: expected a number from 0 to 2**32 - 1")


def unknown_keys(config: Mapping[str, Any], template: ConfigDict) -> list[str]:
    """The keys of a config that its task's own config, `template`, lacks; the fields of nets do not count."""
    known = flat(template)
    return sorted(key for key in flat(config) if key not in known and not key.startswith(_sections_of_nets(template)))


def _sections_of_nets(template: ConfigDict) -> tuple[str, ...]:
    return tuple(f"{key}." for key, value in template.items() if isinstance(value, ConfigDict) and "net" in value)


def flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested keys with dots between them; tuples as lists, as in JSON."""
    out = {}
    for key, value in config.items():
        if isinstance(value, Mapping | ConfigDict):
            out |= flat(value, f"{prefix}{key}.")
        else:
            out[prefix + key] = _as_lists(value)
    return out


def _as_lists(value):
    return [_as_lists(item) for item in value] if isinstance(value, tuple | list) else value


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """The keys in which two configs differ, each with its old and new value; "absent" without one."""
    old, new = flat(old), flat(new)
    for key in sorted(old.keys() | new.keys()):
        pair = old.get(key, "absent"), new.get(key, "absent")
        if pair[0] != pair[1] and repr(pair[0]) != repr(pair[1]):  # NaN differs from itself; its text does not
            yield key, *pair


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """The keys in which two configs differ, one line each: "steps: 2000 -> 3000"."""
    return (f"{key}: {was} -> {now}" for key, was, now in changes(old, new))
