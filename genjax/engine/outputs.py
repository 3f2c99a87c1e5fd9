"""Outputs of a trained task: the contract that tasks fulfil and commands rely on, and how outputs are applied.

An output is a pure function of the state first, then of a batch of any size N. Pixels that it takes are uint8 or
uint16; a task may add outputs of its own under names with a dot ("mine.depth"), which nothing here reads.
"""

import inspect
from collections.abc import Callable, Mapping
from math import inf, isfinite
from typing import Any, NamedTuple

import jax
import numpy as np

from genjax.config import NOISE, pick
from genjax.engine.state import State
from genjax.errors import InputError, did_you_mean

EVAL_BATCH = 16
"""Inputs per call. XLA may order a sum by the batch size, so one size for all gives a seed the same bits each time.

In the last places of a batch it may round otherwise, as it does with AVX2: by 1.5e-5 gray levels for the generator of
`demo.py`, which rounding to pixels nearly always hides.
"""


class Output(NamedTuple):
    """The contract of one output."""

    inputs: tuple[str, ...]  # positional parameters after the state
    options: tuple[str, ...]  # keywords that it must take; their defaults are its own
    shapes: str
    readers: str


OUTPUTS = {
    "sample": Output(
        ("seeds",),
        ("truncation", "ema"),
        "int32 [N] -> uint8 or uint16 [N, H, W, C], or float32 [N, ...]; a seed's example does not depend on the other "
        "seeds; it may take `noise` too, of genjax.config.NOISE",
        "genjax.sample, genjax.evaluate, previews while training",
    ),
    "latents": Output(
        ("seeds",),
        ("truncation",),
        "int32 [N] -> [N, latent], or [N, latent + classes] with a one-hot of the class seed % classes at the end",
        "genjax.show, genjax.project, the metric ppl",
    ),
    "decode": Output(
        ("z",),
        ("ema",),
        "[N, latent (+ classes)], or what `encode` gives -> float [N, *shape]; pixels from 0 to 255, not rounded",
        "genjax.show, genjax.project, the metric ppl",
    ),
    "map": Output(("z",), ("ema",), "[N, latent] -> w [N, width]", "genjax.show, genjax.project, the metric ppl"),
    "synthesize": Output(
        ("ws",),
        ("ema", "truncation", "noise"),
        "w [N, width], or one per layer [N, layers, width] -> float [N, H, W, C]; pixels from 0 to 255, not rounded",
        "genjax.show, genjax.project, the metric ppl",
    ),
    "encode": Output(("x",), (), "examples [N, *shape] -> latents [N, ...]", "genjax.encode, genjax.show"),
    "reconstruct": Output(
        ("x",),
        (),
        "examples [N, *shape] -> float [N, *shape]; pixels from 0 to 255, not rounded",
        "genjax.reconstruct, genjax.show, the metric reconstruction, previews while training",
    ),
    "corrupt": Output(
        ("x",),
        (),
        "examples [N, *shape] -> float [N, *shape] as training corrupts them; pixels from 0 to 1, which `encode` and "
        "`reconstruct` take unscaled, as the encoder does",
        "genjax.reconstruct --corrupt, previews while training",
    ),
    "log_weights": Output(
        ("x",), ("draws",), "examples [N, *shape] -> log p(x, z) / q(z | x) in nats [N, draws]", "the metric likelihood"
    ),
    "log_probability": Output(("x",), ("ema",), "examples [N, *shape] -> log p(x) in nats [N]", "the metric nll_test"),
    "features": Output(("x",), (), "examples [N, *shape] -> [N, ...]", "--features=classifier:RUN, genjax.stylize"),
    "classify": Output(
        ("x",),
        (),
        "examples [N, *shape] -> probabilities [N, classes]",
        "the metric accuracy, --features=classifier:RUN",
    ),
    "logits": Output(("x",), (), "examples [N, *shape] -> logits of the classes [N, classes]", "experiments.attacks"),
    "classify_scratch": Output(("x",), (), "as `classify`, of the control trained from scratch", "the metric accuracy"),
    "pixels": Output(
        ("features",), (), "features [N, h, w, C] -> float [N, H, W, 3]; pixels from 0 to 255", "genjax.stylize"
    ),
    "stylize": Output(
        ("x",),
        (),
        "contents over styles uint8 [N, 2H, W, 3] -> float [N, H, W, 3]; pixels from 0 to 255",
        "previews while training",
    ),
    "translate": Output(
        ("x",),
        (),
        "pairs [N, H, W, inputs + C], or inputs [N, H, W, inputs] of any size that the net takes -> float "
        "[N, H, W, C]; pixels from 0 to 255, not rounded",
        "genjax.translate, the metric translation, previews while training",
    ),
    "to_b": Output(
        ("x",),
        (),
        "images of A uint8 [N, H, W, C], of any size that the net takes, or pairs of both sets [N, H, W, 2C] -> float "
        "[N, H, W, C] as of B; pixels from 0 to 255, not rounded",
        "genjax.translate, the metric cycle, previews while training",
    ),
    "to_a": Output(("x",), (), "the reverse of `to_b`", "genjax.translate, the metric cycle, previews while training"),
}
"""Name -> contract."""


def check(outputs: Mapping[str, Callable]) -> None:
    """Refuse outputs that break their contract. Raises: InputError naming the output and what was expected."""
    for name, function in outputs.items():
        if "." in name:
            continue
        if name not in OUTPUTS:
            known = ", ".join(OUTPUTS)
            raise InputError(
                f"output {name!r} of a task is unknown{did_you_mean(name, OUTPUTS)}: choose from {known}, or a name "
                "with a dot for an output of your own"
            )
        expected = ("state", *OUTPUTS[name].inputs), OUTPUTS[name].options
        parameters = inspect.signature(function).parameters.values()
        positional = tuple(p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD)
        keywords = {p.name for p in parameters if p.default is not p.empty or p.kind is p.KEYWORD_ONLY}
        takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters)
        missing = [option for option in expected[1] if option not in keywords and not takes_all]
        if len(positional) != len(expected[0]) or missing:
            correct = ", ".join((*expected[0], *(f"{option}=..." for option in expected[1])))
            got = ", ".join(str(p) for p in parameters)
            raise InputError(f"output {name!r} of a task takes ({got}): expected ({correct}); {OUTPUTS[name].shapes}")


PRODUCERS = {"z": ("latents", "encode"), "ws": ("map",), "features": ("features",)}
"""Inputs that are outputs themselves: the first of these that a task has makes them."""


def input_like(
    outputs: Mapping[str, Callable], name: str, state: State, example: jax.ShapeDtypeStruct, count: Any = 1
) -> jax.ShapeDtypeStruct | None:
    """The shape and type of `count` inputs of an output; None if it is not of OUTPUTS, or nothing makes its inputs.

    `state` and `example`, of one example, hold shapes and types. The count may be a symbol of `jax.export`.
    """
    kind = OUTPUTS[name].inputs[0] if name in OUTPUTS else ""
    if kind == "seeds":
        return jax.ShapeDtypeStruct((count,), np.int32)
    if kind == "x":
        return jax.ShapeDtypeStruct((count, *example.shape), example.dtype)
    producer = next((made_by for made_by in PRODUCERS.get(kind, ()) if made_by in outputs), None)
    if producer is None:
        return None
    made = jax.eval_shape(outputs[producer], state, input_like(outputs, producer, state, example, count))
    return jax.ShapeDtypeStruct(made.shape, made.dtype)


def check_truncation(truncation: float | None, outputs: Mapping[str, Any]) -> None:
    """Refuse a truncation that a task with these outputs does not take. Raises: InputError."""
    if truncation is None or ("map" in outputs and isfinite(truncation)) or 0 < truncation < inf:
        return
    expected = "a number, such as 0.7, or 0 for the average" if "map" in outputs else "a number above 0, such as 0.7"
    raise InputError(f"--truncation={truncation}: expected {expected}")


def noise_option(noise: str, outputs: Mapping[str, Callable], key: str) -> dict[str, str]:
    """The option `noise` of the output "sample"; none for the constant one, which every task has.

    Raises: InputError, naming `key`, for a name that is not of NOISE, or samples whose noise cannot be chosen.
    """
    if pick(NOISE, noise, key) == NOISE[0]:
        return {}
    if "noise" not in inspect.signature(outputs["sample"]).parameters:
        raise InputError(f"{key}={noise}: only StyleGANs have noise that can be chosen: leave it at {NOISE[0]}")
    return {"noise": noise}


def apply_in_batches(output: Callable, state: State, inputs: np.ndarray, **options) -> np.ndarray:
    """output(state, inputs, **options) over the leading axis. Shapes: [N, ...] -> [N, ...], any N >= 1."""
    surplus = -len(inputs) % EVAL_BATCH
    padded = np.concatenate([inputs, np.repeat(inputs[-1:], surplus, axis=0)])
    # jit of the same function again: it is traced and compiled once per process.
    call = jax.jit(output, static_argnames=tuple(options))
    batches = [padded[start : start + EVAL_BATCH] for start in range(0, len(padded), EVAL_BATCH)]
    return np.concatenate([jax.device_get(call(state, batch, **options)) for batch in batches])[: len(inputs)]
