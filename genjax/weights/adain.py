"""The packaged decoder of AdaIN; genjax/assets/adain describes its training."""

import hashlib
import io
from importlib.resources import files
from typing import Any

import numpy as np
from flax.traverse_util import unflatten_dict

from genjax.errors import InputError

SHA256 = "b0ec761e621c7575b873b09a23c23955189c746f37b09b7fdd542c5af2adbb5c"


def widths_of(decoder: dict[str, Any]) -> tuple[tuple[int, ...], ...]:
    """The `widths` of a genjax.nets.adain.Decoder with these parameters."""
    stages: dict[str, list[int]] = {}
    for name in sorted(decoder, key=lambda name: (len(name), name)):  # conv0_10 after conv0_9
        if name.startswith("conv"):  # conv{stage}_{number}
            stages.setdefault(name.partition("_")[0], []).append(len(decoder[name]["bias"]))
    return tuple(map(tuple, stages.values()))


def load_decoder() -> dict[str, Any]:
    """The parameters of genjax.nets.adain.Decoder. Raises: InputError if the packaged file is damaged."""
    data = (files("genjax") / "assets" / "adain" / "decoder.npz").read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise InputError("The packaged decoder of AdaIN is damaged: install genjax-models again.")
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return unflatten_dict({name: array.astype(np.float32) for name, array in arrays.items()}, sep="/")
