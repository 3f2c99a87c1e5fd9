"""Modules of a pickle that NVIDIA's StyleGAN code wrote in PyTorch, without running any code of the file.

That code pickles each module as a call of `_reconstruct_persistent_obj` with the module's state and the text of its
source, which its own loader runs. Here a module is the name of its class and its state; the text is left unread.
"""

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from genjax.weights import pickled, torch_file
from genjax.weights.torch_file import Tensor

VERSION = 6
"""Of the way in which the code pickles modules; there is no other."""

LIMIT, MAX_DEPTH = 10_000, 16
"""Number of modules or tensors of a net; modules in modules. A pickle may hold one in itself, or at many places."""


class Module(NamedTuple):
    """A module: the name of its class, and its attributes."""

    name: str
    state: dict[str, Any]

    def part(self, name: str) -> dict[str, Any]:
        """Its "parameters", "buffers" or "modules". Raises: Refused if they are no dictionary with names."""
        part = self.state.get(f"_{name}", {})
        if not isinstance(part, dict) or not all(isinstance(key, str) for key in part):
            raise pickled.Refused(f"the {name} of a module have no names")
        return part


class DType(NamedTuple):
    """A type of NumPy's numbers."""

    code: str


class Unread(NamedTuple):
    """An array of NumPy's, as modules of StyleGAN3 have them; weights are tensors."""


def read(path: str | os.PathLike) -> dict[Any, Any]:
    """The dictionary of a pickle, with a `Module` for each module and a `Tensor` for each tensor.

    Raises: OSError; ValueError and others if it is none, is damaged, or names any other function.
    """
    with pickled.mapped(path) as stream:
        contents = pickled.load(stream, NAMES, set_state=_set_state)
    if not isinstance(contents, dict):
        raise pickled.Refused("it is no dictionary of modules")
    return contents


def modules(root: Any) -> dict[str, Module]:
    """A module and those within it, by dotted path; its own is "". Raises: Refused for others than modules."""
    by_path: dict[str, Module] = {}
    rest = [("", root)]
    while rest:
        path, module = rest.pop()
        if not isinstance(module, Module):
            raise pickled.Refused(f"{ascii(path)[1:-1][:40] or 'a net'} is no module")
        by_path[path] = module
        if len(by_path) + len(rest) > LIMIT:
            raise pickled.Refused(f"it has more than {LIMIT:,} modules")
        if path.count(".") > MAX_DEPTH:
            raise pickled.Refused(f"its modules are nested more than {MAX_DEPTH} deep, or hold themselves")
        inner = module.part("modules").items()
        rest += [(f"{path}.{name}".strip("."), child) for name, child in inner if child is not None]
    return by_path


def tensors(nets: Mapping[str, Module]) -> dict[str, np.ndarray]:
    """The parameters and buffers of modules by path, by dotted path. Raises: Refused for others than tensors."""
    arrays = {}
    for path, module in nets.items():
        for name, tensor in (module.part("parameters") | module.part("buffers")).items():
            where = f"{path}.{name}".strip(".")
            if isinstance(tensor, Tensor):
                arrays[where] = tensor.array()
            elif tensor is not None:
                raise pickled.Refused(f"{ascii(where)[1:-1][:40]} is no tensor")
            if len(arrays) > LIMIT:
                raise pickled.Refused(f"it has more than {LIMIT:,} tensors")
    return arrays


def _module(meta: Any) -> Module:
    """A module from the argument of `_reconstruct_persistent_obj`. Raises: Refused for anything else."""
    if not isinstance(meta, dict) or meta.get("type") != "class" or not isinstance(meta.get("state"), dict):
        raise pickled.Refused("it has a module without a state")
    if meta.get("version") != VERSION:
        raise pickled.Refused(f"its modules are of version {meta.get('version')!r:.20}, and {VERSION} is known")
    if not isinstance(meta.get("class_name"), str):
        raise pickled.Refused("it has a module without a class")
    return Module(meta["class_name"], meta["state"])


def _dtype(code: Any, *_: Any) -> DType:
    """A type by its code. Raises: Refused for other types than real numbers."""
    if not isinstance(code, str) or code not in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "b1"):
        raise pickled.Refused("it has a NumPy type that is no real number")
    return DType(code)


def _scalar(dtype: Any, data: Any) -> float:
    """A number of NumPy's. Raises: Refused for anything else."""
    if not isinstance(dtype, DType) or not isinstance(data, bytes) or len(data) != np.dtype(dtype.code).itemsize:
        raise pickled.Refused("it has a NumPy number that is none")
    return np.frombuffer(data, f"<{dtype.code}").item()


def _unread(*_: Any) -> Unread:
    """An array that is not read, so that the module that has it can be named."""
    return Unread()


def _tensorflow(*_: Any) -> None:
    """Raises: Refused."""
    raise pickled.Refused(
        "it is of the TensorFlow code, and legacy.py of NVlabs/stylegan2-ada-pytorch converts it: "
        "python legacy.py --source=OLD.pkl --dest=NEW.pkl"
    )


def _set_state(result: Any, state: Any) -> None:
    """Check the byte order of a type. Raises: Refused for the state of anything else than types and dictionaries."""
    if isinstance(result, Unread):
        return
    if not isinstance(result, DType):
        torch_file.set_state(result, state)
    elif not isinstance(state, tuple) or len(state) < 2 or state[1] not in ("<", "|", "="):
        raise pickled.Refused("its numbers are of a big-endian machine")


NAMES = {
    **{name: value for name, value in torch_file.NAMES.items() if "_rebuild" in name or "OrderedDict" in name},
    "builtins.set": pickled.set_of,
    "dnnlib.tflib.network.Network": _tensorflow,
    "dnnlib.util.EasyDict": pickled.dictionary,
    **{f"numpy.{core}.multiarray.scalar": _scalar for core in ("_core", "core")},
    **{f"numpy.{core}.multiarray._reconstruct": _unread for core in ("_core", "core")},
    "numpy.dtype": _dtype,
    "numpy.ndarray": "ndarray",
    "torch.storage._load_from_bytes": torch_file.single_storage,
    "torch_utils.persistence._reconstruct_persistent_obj": _module,
}
"""What a pickle may name, and what it is read as."""
