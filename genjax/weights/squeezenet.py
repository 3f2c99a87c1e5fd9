"""The packaged weights of SqueezeNet v1.1; genjax/assets/squeezenet names their source."""

import hashlib
import io
from importlib.resources import files
from typing import Any

import numpy as np
from flax.traverse_util import unflatten_dict

from genjax.errors import InputError

SHA256 = "e177bd95464b2ee444f8b48363d59e11300059b105ae1a7a917a7ffc0761d882"


def load() -> dict[str, Any]:
    """The variables of genjax.nets.squeezenet.SqueezeNet, trained on ImageNet.

    Raises: InputError if the packaged file is damaged.
    """
    data = (files("genjax") / "assets" / "squeezenet" / "squeezenet.npz").read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise InputError("The packaged weights of SqueezeNet are damaged: install genjax-models again.")
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return {"params": unflatten_dict(dict(arrays), sep="/")}
