"""Files of weights, whatever their damage, give the arrays that they hold or are refused in one line."""

import io
import pickle
import zipfile
from collections import OrderedDict

import jax
import numpy as np
import official_stylegan2 as official
import pytest
from fuzzing import damaged, property_of, result_or_line
from hypothesis import strategies as st
from pickling import pickled
from safetensors.numpy import save

from genjax import conversion
from genjax.errors import InputError
from genjax.weights import any_file, h5_file, safetensors_file, torch_file

TENSORS = {"a.weight": np.arange(12, dtype=np.float32).reshape(3, 4), "b": np.ones(3, np.float16), "n": np.array([7])}
READERS = (safetensors_file, torch_file, h5_file)


class _Name:
    """A function of another module, as a pickle names it."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class _Pickler(pickle._Pickler):
    """Names functions of torch without importing it."""

    dispatch = pickle._Pickler.dispatch.copy()

    def persistent_id(self, item):
        return item[1:] if isinstance(item, tuple) and item[:1] == ("persistent",) else None

    def save_name(self, item):
        self.write(pickle.GLOBAL + f"{item.module}\n{item.name}\n".encode())

    dispatch[_Name] = save_name


class _Call:
    def __init__(self, function, *args):
        self.reduced = (function, args)


def _save_call(pickler, call):
    function, args = call.reduced
    pickler.save(function)
    pickler.save(args)
    pickler.write(pickle.REDUCE)


_Pickler.dispatch[_Call] = _save_call


def torch_archive(tensors):
    """A state dict as torch.save writes it."""
    buffer = io.BytesIO()
    storages = {"f4": "FloatStorage", "f2": "HalfStorage", "i8": "LongStorage"}
    state = OrderedDict()
    with zipfile.ZipFile(buffer, "w") as archive:
        for key, (name, x) in enumerate(tensors.items()):
            storage = _Name("torch", storages[x.dtype.str[1:]])
            pid = ("persistent", "storage", storage, str(key), "cpu", x.size)
            strides = tuple(n // x.itemsize for n in x.strides)
            rebuild = _Name("torch._utils", "_rebuild_tensor_v2")
            state[name] = _Call(rebuild, pid, 0, x.shape, strides, False, None)
            archive.writestr(f"archive/data/{key}", x.tobytes())
        content = io.BytesIO()
        _Pickler(content, 2).dump(dict(state))
        archive.writestr("archive/data.pkl", content.getvalue())
    return buffer.getvalue()


def hdf5(tensors):
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for name, x in tensors.items():
            file[name.replace(".", "/")] = x
    return buffer.getvalue()


FILES = {
    "safetensors": save(TENSORS),
    "torch": torch_archive(TENSORS),
    "hdf5": hdf5({"a.weight": TENSORS["a.weight"]}),
}


def read(folder, data):
    path = folder / "weights"
    path.write_bytes(data)
    return any_file.read(path, READERS, "a file of weights")


def test_the_files_that_are_damaged_are_read_whole(tmp_path):
    for kind, data in FILES.items():
        tensors = {name.replace("/", "."): x for name, x in read(tmp_path, data).items()}
        for name, x in tensors.items():
            np.testing.assert_array_equal(x, TENSORS[name])
        assert len(tensors) == (1 if kind == "hdf5" else 3)


@property_of(data=st.one_of(*map(damaged, FILES.values()), st.binary(max_size=100)))
def test_damaged_weights_are_read_or_refused(folder, data):
    tensors = result_or_line(lambda: read(folder, data))
    for x in (tensors or {}).values():
        assert isinstance(x, np.ndarray)
        x.sum()  # within its storage


NETS = {
    "nvidia": pickled(official.contents(), 4),
    "nvidia, protocol 3": pickled(official.contents(D=None, G=None), 3),
    "torch": torch_archive(official.random_critic()),
}


@property_of(data=st.one_of(*map(damaged, NETS.values())))
def test_damaged_nets_are_read_or_refused(folder, data):
    path = folder / "weights"
    path.write_bytes(data)
    weights = result_or_line(lambda: any_file.read(path, conversion.READERS, conversion.FILES))
    for x in jax.tree.leaves(weights.variables if weights else {}):
        assert np.isfinite(x).all()


@property_of(
    module=st.sampled_from(["os", "builtins", "subprocess", "torch", "torch._utils", "collections", "numpy"]),
    name=st.one_of(st.sampled_from(["system", "eval", "exec", "Popen", "load", "OrderedDict"]), st.text(max_size=8)),
)
def test_no_pickle_calls_anything(folder, module, name):
    content = io.BytesIO()
    content.write(b"\x80\x02")
    content.write(pickle.GLOBAL + f"{module}\n{name}\n".encode("utf-8", "replace"))
    content.write(b"X\x05\x00\x00\x00touch\x85R.")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", content.getvalue())
    for data in (buffer.getvalue(), content.getvalue()):
        if (module, name) == ("collections", "OrderedDict"):
            result_or_line(lambda data=data: read(folder, data))
        else:
            with pytest.raises(InputError, match="is not a state dict"):
                read(folder, data)
