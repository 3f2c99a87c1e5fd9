"""Makes decoder.npz from a run of configs/style_adain.py: python genjax/assets/adain/build.py runs/adain

Prints the SHA-256 that genjax/weights/adain.py expects.
"""

import hashlib
import io
import sys
from pathlib import Path

import numpy as np
from flax.traverse_util import flatten_dict

from genjax.files import write_bytes
from genjax.run.restore import restore


def build(workdir: str) -> str:
    """Write the decoder of a run's newest checkpoint to this folder, in float16; returns its SHA-256."""
    _, state = restore(workdir)
    params = flatten_dict(state.nets["decoder"].params, sep="/")
    data = io.BytesIO()
    np.savez_compressed(data, **{name: np.float16(array) for name, array in sorted(params.items())})
    write_bytes(Path(__file__).with_name("decoder.npz"), data.getvalue())
    return hashlib.sha256(data.getvalue()).hexdigest()


if __name__ == "__main__":
    print(build(sys.argv[1]))
