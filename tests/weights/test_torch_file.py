"""The reader takes tensors out of both of PyTorch's layouts, and nothing else out of any file."""

import os
import pickle
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
from pickling import KINDS, Call, Name, pickled

from genjax.errors import InputError
from genjax.weights import torch_file

TENSORS = {
    "conv.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "steps": np.array(7, np.int64),
    "half": np.array([0.5, 2], np.float16),
    "none": np.zeros((0, 3), np.float32),
}


def state(tensors, legacy=False, offset=0):
    rebuild, out = Name("torch._utils", "_rebuild_tensor_v2"), OrderedDict()
    for name, a in tensors.items():
        storage = ("storage", Name("torch", KINDS[a.dtype.name]), name, "cpu", a.size, *([None] if legacy else []))
        strides = tuple(n // a.itemsize for n in a.strides)
        out[name] = Call(rebuild, storage, offset, a.shape, strides, False, OrderedDict())
    return out


def archive(path, tensors, **options):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("weights/data.pkl", pickled(state(tensors, **options)))
        for name, a in tensors.items():
            file.writestr(f"weights/data/{name}", a.tobytes())


def old_state(tensors):
    """As PyTorch before 0.4 had it; torchvision's VGG16 still is such a file."""
    out = state(tensors, legacy=True)
    for name, call in out.items():
        tensor = Call(Name("torch._utils", "_rebuild_tensor"), *call.args[:4])
        hidden = (True, False, OrderedDict())  # requires_grad, volatile, hooks
        out[name] = Call(Name("torch.nn.parameter", "Parameter"), tensor, told=hidden) if tensors[name].ndim else tensor
    return out


def stream(path, tensors, old=False):
    kept = old_state(tensors) if old else state(tensors, legacy=True)
    head = [torch_file.MAGIC, 1001, {"little_endian": True}, kept, list(tensors)]
    data = b"".join(a.size.to_bytes(8, "little") + a.tobytes() for a in tensors.values())
    path.write_bytes(b"".join(map(pickled, head)) + data)


@pytest.mark.parametrize("write", [archive, stream])
def test_tensors_come_back(write, tmp_path):
    write(tmp_path / "w.pth", TENSORS)
    found = torch_file.read(tmp_path / "w.pth")
    assert found.keys() == TENSORS.keys()
    for name, expected in TENSORS.items():
        assert found[name].dtype == expected.dtype
        np.testing.assert_array_equal(found[name], expected)


def test_tensors_of_before_pytorch_0_4_come_back(tmp_path):
    stream(tmp_path / "w.pth", TENSORS, old=True)
    found = torch_file.read(tmp_path / "w.pth")
    assert found.keys() == TENSORS.keys()
    for name, expected in TENSORS.items():
        assert found[name].dtype == expected.dtype
        np.testing.assert_array_equal(found[name], expected)


@pytest.mark.parametrize("zipped", [True, False])
def test_torchs_own_parameters_are_read(zipped, tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is who writes such files")
    parameter = torch.nn.Parameter(torch.arange(6.0).reshape(2, 3))
    torch.save({"w": parameter}, tmp_path / "w.pth", _use_new_zipfile_serialization=zipped)
    np.testing.assert_array_equal(torch_file.read(tmp_path / "w.pth")["w"], parameter.detach().numpy())


@pytest.mark.parametrize("zipped", [True, False])
def test_torchs_own_files_are_read(zipped, tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is who writes such files")
    tensors = {name: torch.tensor(a) for name, a in TENSORS.items()} | {"view": torch.arange(12.0).reshape(3, 4).T[1:]}
    torch.save(OrderedDict(tensors), tmp_path / "w.pth", _use_new_zipfile_serialization=zipped)
    found = torch_file.read(tmp_path / "w.pth")
    for name, expected in tensors.items():
        np.testing.assert_array_equal(found[name], expected.numpy())


def test_nothing_that_a_file_names_is_run(tmp_path):
    path, trace = tmp_path / "w.pth", tmp_path / "trace"
    for kind in (archive, stream):
        kind(path, TENSORS)
        evil = pickled({"w": Call(Name("os", "mkdir"), os.fspath(trace))})
        if kind is archive:
            with zipfile.ZipFile(path, "w") as file:
                file.writestr("weights/data.pkl", evil)
        else:
            path.write_bytes(evil)
        with pytest.raises(InputError, match=r"w\.pth is not a state dict.*it names os\.mkdir"):
            torch_file.read(path)
        assert not trace.exists()


def test_a_storage_that_is_part_of_another_is_refused(tmp_path):
    kept = state(TENSORS, legacy=True)
    call = kept["conv.weight"]
    call.args = ((*call.args[0][:-1], ("part", 4, 24)), *call.args[1:])
    head = [torch_file.MAGIC, 1001, {"little_endian": True}, kept, list(TENSORS)]
    (tmp_path / "w.pth").write_bytes(b"".join(map(pickled, head)))
    with pytest.raises(InputError, match=r"not a state dict.*a tensor's storage is a view of another storage"):
        torch_file.read(tmp_path / "w.pth")


def test_a_tensor_beyond_its_numbers_is_refused(tmp_path):
    archive(tmp_path / "w.pth", TENSORS, offset=1)
    with pytest.raises(InputError, match="not a state dict"):
        torch_file.read(tmp_path / "w.pth")


@pytest.mark.parametrize("data", [b"", b"PK\3\4", b"no pickle", pickle.dumps(5), pickle.dumps({"lr": 0.1})])
def test_other_files_are_refused(data, tmp_path):
    (tmp_path / "w.pth").write_bytes(data)
    with pytest.raises(InputError, match=r"w\.pth is not a state dict that torch\.save wrote"):
        torch_file.read(tmp_path / "w.pth")


def test_a_file_of_things_that_are_no_tensors_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "w.pth", "w") as file:
        file.writestr("w/data.pkl", pickled({"epoch": 3}))
    with pytest.raises(InputError, match="not a state dict"):
        torch_file.read(tmp_path / "w.pth")


def test_a_truncated_file_is_refused(tmp_path):
    stream(tmp_path / "w.pth", TENSORS)
    data = (tmp_path / "w.pth").read_bytes()
    (tmp_path / "w.pth").write_bytes(data[:-20])
    with pytest.raises(InputError, match="not a state dict"):
        torch_file.read(tmp_path / "w.pth")


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.pth cannot be read: No such file"):
        torch_file.read(tmp_path / "none.pth")
