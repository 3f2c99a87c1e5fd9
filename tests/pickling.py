"""Pickles that name functions and classes of modules that need not exist, as PyTorch and others write them."""

import io
import pickle
from collections import OrderedDict

import numpy as np

from genjax.weights.torch_file import MAGIC

KINDS = {"float32": "FloatStorage", "int64": "LongStorage", "float16": "HalfStorage"}


class Name:
    """Pickles as the name of a function or class, of a module that need not exist."""

    def __init__(self, module, name):
        self.module, self.name = module, name

    def __call__(self):
        """For `__reduce__` takes what can be called only."""


class Call:
    """Pickles as a call, and as what its result is told then."""

    def __init__(self, function, *args, told=None):
        self.function, self.args, self.told = function, args, told

    def __reduce__(self):
        return self.function, self.args, self.told


class EasyDict(dict):
    """Pickles as the dictionary of NVIDIA's code."""

    NAME = Name("dnnlib.util", "EasyDict")


class Pickler(pickle._Pickler):  # the one in Python, which can be taught to write a name as it is
    def save_name(self, name):
        if self.proto < 4:
            self.write(pickle.GLOBAL + f"{name.module}\n{name.name}\n".encode())
        else:
            self.save(name.module)
            self.save(name.name)
            self.write(pickle.STACK_GLOBAL)

    def save_global(self, thing, name=None):
        if hasattr(thing, "NAME"):
            return self.save_name(thing.NAME)
        return super().save_global(thing, name)

    def save_type(self, thing):
        return super().save_type(thing) if thing is type(None) else self.save_global(thing)

    def persistent_id(self, thing):
        return thing if isinstance(thing, tuple) and thing[:1] == ("storage",) else None


Pickler.dispatch = {**pickle._Pickler.dispatch, Name: Pickler.save_name, type: Pickler.save_type}


def pickled(thing, protocol=2):
    buffer = io.BytesIO()
    Pickler(buffer, protocol).dump(thing)
    return buffer.getvalue()


def storage(array, key="0", **changed):
    """A persistent id of an array's numbers; `changed`: parts of it that are not as they should be."""
    parts = {"word": "storage", "kind": KINDS[array.dtype.name], "key": key, "place": "cpu", "size": array.size}
    parts |= changed
    return (parts["word"], Name("torch", parts["kind"]), *(parts[name] for name in ("key", "place", "size")), None)


def storage_bytes(array, count=None, machine=None, **changed):
    """What `torch.save` writes of one storage in its older layout."""
    head = [MAGIC, 1001, machine or {"protocol_version": 1001, "little_endian": True}, storage(array, **changed), ["0"]]
    count = array.size if count is None else count
    return b"".join(map(pickled, head)) + count.to_bytes(8, "little") + np.ascontiguousarray(array).tobytes()


def tensor(array, data=None, offset=0, shape=None, strides=None):
    """A tensor as pickles of modules have it."""
    strides = tuple(n // array.itemsize for n in array.strides) if strides is None else strides
    numbers = Call(Name("torch.storage", "_load_from_bytes"), storage_bytes(array) if data is None else data)
    rebuild = Name("torch._utils", "_rebuild_tensor_v2")
    return Call(rebuild, numbers, offset, array.shape if shape is None else shape, strides, False, OrderedDict())
