"""The reader of safetensors files: every type of number, and files that are not what they claim to be."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from genjax.errors import InputError
from genjax.weights import safetensors_file

TENSORS = {
    "conv.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "steps": np.array(-7, np.int64),
    "half": np.array([0.5, 2], np.float16),
    "none": np.zeros((0, 3), np.float32),
    "mask": np.array([True, False, True]),
}


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def write(path, header, data=b"\0" * 8, length=None):
    """A file of any header: an object, or bytes as they are."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + data)
    return path


def same(found, expected):
    assert found.keys() == expected.keys()
    for name, a in expected.items():
        assert found[name].dtype == a.dtype
        np.testing.assert_array_equal(found[name], a)


def test_tensors_come_back(tmp_path):
    save_file(TENSORS, tmp_path / "w.safetensors", metadata={"format": "pt"})
    same(safetensors_file.read(tmp_path / "w.safetensors"), TENSORS)
    same(safetensors_file.read(write(tmp_path / "empty.safetensors", {}, b"")), {})


def test_bfloat16_is_the_upper_half_of_a_float32(tmp_path):
    numbers = np.array([1.0, -2.5, 3e38, np.inf], np.float32)
    halves = (numbers.view("<u4") >> 16).astype("<u2")
    path = write(tmp_path / "w.safetensors", {"w": entry("BF16", (4,), (0, 8))}, halves.tobytes())
    (found,) = safetensors_file.read(path).values()
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, numbers, rtol=1e-2)


def test_pytorchs_bfloat16_is_read(tmp_path):
    torch = pytest.importorskip("torch", reason="NumPy has no bfloat16 to write")
    package = pytest.importorskip("safetensors.torch")
    numbers = torch.linspace(-3, 3, 7).to(torch.bfloat16)
    package.save_file({"w": numbers}, tmp_path / "w")
    np.testing.assert_array_equal(safetensors_file.read(tmp_path / "w")["w"], numbers.float().numpy())


FAULTS = {  # header, data and length of a file
    "cut short": ({"w": entry()}, b"\0" * 7),
    "too long": ({"w": entry()}, b"\0" * 9),
    "no header": (b"", b""),
    "header beyond the end": ({}, b"", 3),
    "header of any length": ({}, b"", 2**64 - 1),
    "no JSON": (b"{,}",),
    "no UTF-8": (b'{"\xff": 1}',),
    "deep": (b'{"a":' * 200_000,),
    "no object": (b"[1]",),
    "no entry": ({"w": 5},),
    "no offsets": ({"w": {"dtype": "F32", "shape": [2]}},),
    "one offset": ({"w": entry(offsets=(0,))},),
    "no number": ({"w": entry(shape=("2",))},),
    "a fraction": ({"w": entry(shape=(2.0,))},),
    "a truth": ({"w": entry(shape=(True, 2))},),
    "below zero": ({"w": entry(shape=(-2,))},),
    "before the start": ({"w": entry(offsets=(-8, 0))},),
    "backwards": ({"w": entry(offsets=(8, 0))},),
    "unknown dtype": ({"w": entry("F31")},),
    "a dtype that NumPy lacks": ({"w": entry("F8_E4M3", (8,))},),
    "shape and size": ({"w": entry(shape=(3,))},),
    "beyond the end": ({"w": entry(shape=(4,), offsets=(0, 16))},),
    "overlap": ({"a": entry(), "b": entry(offsets=(4, 12))}, b"\0" * 12),
    "a hole": ({"w": entry(offsets=(4, 12))}, b"\0" * 12),
    "huge and empty": ({"w": entry(shape=(2**70, 0), offsets=(0, 0))}, b""),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_the_format_does_not_allow_is_refused_in_one_line(fault, tmp_path):
    path = write(tmp_path / "w.safetensors", *FAULTS[fault])
    with pytest.raises(InputError) as caught:
        safetensors_file.read(path)
    assert str(caught.value).startswith(f"{path} is not a safetensors file, or is cut short: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", range(8))
def test_a_file_without_a_length_is_refused(size, tmp_path):
    (tmp_path / "w").write_bytes(b"\1" * size)
    with pytest.raises(InputError, match=r"is cut short: .*header too small"):
        safetensors_file.read(tmp_path / "w")


@pytest.mark.parametrize(("name", "reason"), [("none", "no such file"), ("", "No such device")])
def test_a_file_that_cannot_be_read_is_named(name, reason, tmp_path):
    with pytest.raises(InputError, match=f"cannot be read: {reason}"):
        safetensors_file.read(tmp_path / name)


def test_tensors_that_are_written_come_back(tmp_path):
    tensors = TENSORS | {"turned": np.arange(6, dtype=np.float32).reshape(2, 3).T}
    (tmp_path / "w.safetensors").write_bytes(safetensors_file.encode(tensors))
    same(safetensors_file.read(tmp_path / "w.safetensors"), tensors)
