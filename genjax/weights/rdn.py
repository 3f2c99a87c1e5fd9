"""Residual dense nets of UpscalerJS, which enlarge images, from a model.json of TensorFlow.js.

The files are those of the npm packages `@upscalerjs/esrgan-slim` and its like, of architecture "rdn". Those nets take
and give pixels from 0 to 255; here they are from 0 to 1, so the first kernel is multiplied by 255, and the last one and
its bias are divided by it.
"""

import math
import os
import re
from typing import Any, NamedTuple

import numpy as np

from genjax.errors import InputError
from genjax.weights import tfjs_file

KIND = "a residual dense net of UpscalerJS (model.json)"
WHITE = 255
UP = ("UPN1", "UPN2", "UPN3", "SR")


class Enlarger(NamedTuple):
    """A net of a file: fields of `genjax.nets.rdn.ResidualDense`, and its variables."""

    kind: str
    colors: int
    fields: dict[str, int]
    variables: dict[str, dict[str, Any]]  # of the net "generator"


def recognizes(head: bytes) -> bool:
    """Whether a file that begins with these bytes can be of this kind."""
    return tfjs_file.recognizes(head)


def read(path: str | os.PathLike) -> Enlarger:
    """The net of a file. Raises: InputError for another model, and for damaged files."""
    arrays = tfjs_file.read(path)
    blocks = len([name for name in arrays if re.fullmatch(r"LFF_\d+/kernel", name)])
    convs = len([name for name in arrays if re.fullmatch(r"F_1_\d+/kernel", name)])
    names = {"F_m1": "shallow_0", "F_0": "shallow_1", "GFF_1": "fusion_0", "GFF_2": "fusion_1"}
    names |= {f"LFF_{b + 1}": f"block_{b}_fusion" for b in range(blocks)}
    names |= {f"F_{b + 1}_{c + 1}": f"block_{b}_conv_{c}" for b in range(blocks) for c in range(convs)}
    names |= {name: f"up_{number}" for number, name in enumerate(UP)}
    expected = {f"{name}/{part}" for name in names for part in ("kernel", "bias")}
    if not blocks or not convs or arrays.keys() != expected:
        other = ", ".join(sorted(arrays.keys() ^ expected)[:3])
        raise InputError(f"{path}: its arrays are not those of {KIND}, as {other}: expected architecture rdn")
    params = {ours: {part: arrays[f"{name}/{part}"] for part in ("kernel", "bias")} for name, ours in names.items()}
    fields, colors = _fields(path, params, blocks, convs)
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise InputError(f"{path} has weights that are not finite: it is damaged")
    first, last = params["shallow_0"], params["up_3"]
    first["kernel"] = first["kernel"] * np.float32(WHITE)
    params["up_3"] = {part: array / np.float32(WHITE) for part, array in last.items()}
    return Enlarger(KIND, colors, fields, {"generator": {"params": params}})


def _fields(path, params, blocks: int, convs: int) -> tuple[dict[str, int], int]:
    """Fields of the net, and its colors. Raises: InputError for shapes that do not fit each other."""
    width, colors = params["shallow_0"]["bias"].size, params["up_3"]["bias"].size
    growth, last = params["block_0_conv_0"]["bias"].size, params["up_2"]["bias"].size
    scale = math.isqrt(last // max(colors, 1))
    shapes = {"shallow_0": (3, colors, width), "shallow_1": (3, width, width)}
    for block in range(blocks):
        shapes |= {f"block_{block}_conv_{c}": (3, width + c * growth, growth) for c in range(convs)}
        shapes[f"block_{block}_fusion"] = (1, width + convs * growth, width)
    shapes |= {"fusion_0": (1, blocks * width, width), "fusion_1": (3, width, width), "up_0": (5, width, 64)}
    shapes |= {"up_1": (3, 64, 32), "up_2": (3, 32, colors * scale**2), "up_3": (3, colors * scale**2, colors)}
    for name, (side, inputs, outputs) in shapes.items():
        got = params[name]["kernel"].shape, params[name]["bias"].shape
        if got != ((side, side, inputs, outputs), (outputs,)):
            raise InputError(
                f"{path}: {name} has arrays {got}: expected {(side, side, inputs, outputs)} and {(outputs,)}, as "
                f"{KIND} has them"
            )
    return {"scale": scale, "blocks": blocks, "convs": convs, "growth": growth, "width": width}, colors
