"""The packaged decoder of AdaIN; genjax/assets/adain describes its training."""

import hashlib
import io
from importlib.resources import files
from typing import Any

import numpy as np
from flax.traverse_util import unflatten_dict

from genjax.errors import InputError

SHA256 = "a4309a49a5f92071970789d5dbd642bef9812b3bae0717ac7ff969b633fac8c5"


def load_decoder() -> dict[str, Any]:
    """The parameters of genjax.nets.adain.Decoder. Raises: InputError if the packaged file is damaged."""
    data = (files("genjax") / "assets" / "adain" / "decoder.npz").read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise InputError("The packaged decoder of AdaIN is damaged: install genjax-models again.")
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return unflatten_dict({name: array.astype(np.float32) for name, array in arrays.items()}, sep="/")
