"""The reader takes the tensors that the format's own package writes, and refuses what that refuses."""

import json

import numpy as np
import pytest

from genjax.errors import InputError
from genjax.weights import safetensors_file

TENSORS = {
    "conv.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "steps": np.array(-7, np.int64),
    "half": np.array([0.5, 2], np.float16),
    "none": np.zeros((0, 3), np.float32),
    "mask": np.array([True, False, True]),
}
KINDS = {np.dtype(numbers): kind for kind, numbers in safetensors_file.DTYPES.items() if kind != "BF16"}


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def write(path, header, data=b"\0" * 8, length=None):
    """A file of any header: an object, or bytes as they are."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + data)
    return path


def save(path, tensors):
    """As the format has it, without its package."""
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, a in tensors.items():
        header[name] = entry(KINDS[a.dtype], a.shape, (len(data), len(data) + a.nbytes))
        data += a.tobytes()
    return write(path, header, data)


def same(found, expected):
    assert found.keys() == expected.keys()
    for name, a in expected.items():
        assert found[name].dtype == a.dtype
        np.testing.assert_array_equal(found[name], a)


def test_tensors_come_back(tmp_path):
    same(safetensors_file.read(save(tmp_path / "w.safetensors", TENSORS)), TENSORS)
    same(safetensors_file.read(write(tmp_path / "w.safetensors", {}, b"")), {})


def test_bfloat16_is_the_upper_half_of_a_float32(tmp_path):
    numbers = np.array([1.0, -2.5, 3e38, np.inf], np.float32)
    halves = (numbers.view("<u4") >> 16).astype("<u2")
    path = write(tmp_path / "w.safetensors", {"w": entry("BF16", (4,), (0, 8))}, halves.tobytes())
    (found,) = safetensors_file.read(path).values()
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, numbers, rtol=1e-2)


def test_the_package_reads_and_writes_the_same(tmp_path):
    package = pytest.importorskip("safetensors.numpy", reason="safetensors is the format's own implementation")
    package.save_file(TENSORS, tmp_path / "theirs", metadata={"format": "pt"})
    same(safetensors_file.read(tmp_path / "theirs"), package.load_file(tmp_path / "theirs"))
    same(package.load_file(save(tmp_path / "ours", TENSORS)), TENSORS)


def test_pytorchs_bfloat16_is_read(tmp_path):
    torch = pytest.importorskip("torch", reason="NumPy has no bfloat16 to write")
    package = pytest.importorskip("safetensors.torch", reason="safetensors is the format's own implementation")
    numbers = torch.linspace(-3, 3, 7).to(torch.bfloat16)
    package.save_file({"w": numbers}, tmp_path / "w")
    np.testing.assert_array_equal(safetensors_file.read(tmp_path / "w")["w"], numbers.float().numpy())


FAULTS = {  # header, data and length of a file -> the message
    "cut short": (({"w": entry()}, b"\0" * 7), r"its tensors have 8 bytes, and the file 7 for them"),
    "too long": (({"w": entry()}, b"\0" * 9), r"its tensors have 8 bytes, and the file 9 for them"),
    "no header": ((b"", b""), r"its header is to end at byte 8, and the file has 8"),
    "header beyond the end": (({}, b"", 3), r"its header is to end at byte 11, and the file has 10"),
    "header of any length": (({}, b"", 2**64 - 1), r"its header is to end at byte 18446744073709551623,"),
    "no JSON": ((b"{,}",), r"Expecting property name"),
    "no UTF-8": ((b'{"\xff": 1}',), r"can't decode byte 0xff"),
    "deep": ((b'{"a":' * 200_000,), r"recursion"),
    "no object": ((b"[1]",), r"its header is not an object of tensors by name"),
    "a name twice": ((b'{"w": 1, "w": 2}',), r"its header has a name twice"),
    "no entry": (({"w": 5},), r"'w' lacks one of dtype, shape and two data_offsets"),
    "no offsets": (({"w": {"dtype": "F32", "shape": [2]}},), r"'w' lacks one of"),
    "one offset": (({"w": entry(offsets=(0,))},), r"'w' lacks one of"),
    "no number": (({"w": entry(shape=("2",))},), r"'w' has shape \['2'\] at \[0, 8\]: expected whole numbers from 0"),
    "a fraction": (({"w": entry(shape=(2.0,))},), r"expected whole numbers"),
    "a truth": (({"w": entry(shape=(True, 2))},), r"expected whole numbers"),
    "below zero": (({"w": entry(shape=(-2,))},), r"'w' has shape \[-2\]"),
    "before the start": (({"w": entry(offsets=(-8, 0))},), r"at \[-8, 0\]"),
    "backwards": (({"w": entry(offsets=(8, 0))},), r"'w' has -8 bytes: expected 8"),
    "unknown dtype": (({"w": entry("F31")},), r"'w' has dtype 'F31': expected one of F64, F32,"),
    "shape and size": (({"w": entry(shape=(3,))},), r"'w' has 8 bytes: expected 12 for shape \[3\] of F32"),
    "beyond the end": (({"w": entry(shape=(4,), offsets=(0, 16))},), r"its tensors have 16 bytes, and the file 8"),
    "overlap": (
        ({"a": entry(), "b": entry(offsets=(4, 12))}, b"\0" * 12),
        r"'b' begins at byte 4: expected 8, where the one before ends",
    ),
    "a hole": (({"w": entry(offsets=(4, 12))}, b"\0" * 12), r"'w' begins at byte 4: expected 0"),
    "huge and empty": (({"w": entry(shape=(2**70, 0), offsets=(0, 0))}, b""), r"not a safetensors file"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_the_format_does_not_allow_is_refused(fault, tmp_path):
    content, message = FAULTS[fault]
    path = write(tmp_path / "w.safetensors", *content)
    with pytest.raises(InputError, match=message) as caught:
        safetensors_file.read(path)
    assert str(caught.value).startswith(f"{path} is not a safetensors file, or is cut short: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("fault", FAULTS)
def test_the_package_refuses_it_too(fault, tmp_path):
    package = pytest.importorskip("safetensors", reason="safetensors is the format's own implementation")
    content, _ = FAULTS[fault]
    with pytest.raises(package.SafetensorError), package.safe_open(write(tmp_path / "w", *content), "numpy") as file:
        [file.get_tensor(name) for name in file.keys()]  # noqa: SIM118


@pytest.mark.parametrize("size", range(8))
def test_a_file_without_a_length_is_refused(size, tmp_path):
    (tmp_path / "w").write_bytes(b"\1" * size)
    with pytest.raises(InputError, match="its header is to end at byte"):
        safetensors_file.read(tmp_path / "w")


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none cannot be read: No such file"):
        safetensors_file.read(tmp_path / "none")
