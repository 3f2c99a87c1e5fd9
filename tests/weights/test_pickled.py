"""Pickles are read as data: what `pickle` itself reads of plain values, and nothing of hostile files."""

import io
import os
import pickle
import struct
from collections import OrderedDict
from functools import partial

import numpy as np
import official_stylegan2 as official
import pytest
from official_stylegan2 import contents, persistent, random_generator
from pickling import Call, Name, pickled, storage_bytes, tensor

from genjax.errors import InputError
from genjax.weights import nvidia_pickle, stylegan2_nvidia
from genjax.weights import pickled as reader

SHARED = ["again"]
PLAIN = {
    "numbers": [0, -1, 255, 70_000, 2**40, -(2**70), 1.5, float("inf"), True, False, None],
    "texts": ("", "a", "ü" * 300, b"", b"bytes", b"long" * 100),
    "sets": [frozenset({1, 2}), ()],
    "nested": {"a": {"b": [(1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)], 3: SHARED, 2.5: SHARED}},
    "large": list(range(3000)),
}


@pytest.mark.parametrize("protocol", range(6))
def test_plain_values_are_those_of_pickle(protocol):
    values = PLAIN if protocol > 3 else {k: v for k, v in PLAIN.items() if k != "sets"}
    values = values if protocol > 2 else {k: v for k, v in values.items() if k != "texts"}
    found = reader.load(pickle.dumps(values, protocol), {})
    assert found == values
    assert found["nested"]["a"][3] is found["nested"]["a"][2.5]
    assert [type(n) for n in found["numbers"]] == [type(n) for n in PLAIN["numbers"]]


def test_several_pickles_are_read_one_after_the_other():
    stream = io.BytesIO(pickle.dumps(1) + pickle.dumps({"a": 2}) + b"rest")
    assert [reader.load(stream, {}), reader.load(stream, {}), stream.read()] == [1, {"a": 2}, b"rest"]


def test_a_reader_calls_its_own_functions_alone():
    twice = {"some.where": lambda n: 2 * n}
    assert reader.load(pickled([Call(Name("some", "where"), 4)], 4), twice) == [8]
    with pytest.raises(reader.Refused, match=r"it names some\.where\.else"):
        reader.load(pickled(Call(Name("some.where", "else"), 4), 4), twice)


TRACE = Name("os", "mkdir")
ARRAY = np.arange(4, dtype=np.float32)
WEIGHT = "synthesis.b4.conv1.weight"


def when_tested(make):
    """Its calls as functions: to write a pickle takes longer than to collect tests."""
    return lambda *args, **changed: partial(make, *args, **changed)


@when_tested
def ema(**changed):
    """A pickle whose G_ema has changed tensors or is something else."""
    return pickled(contents(**changed), 4)


def with_tensor(call):
    """A pickle of a module with one tensor."""
    state = {"_parameters": {"w": call}, "_buffers": {}, "_modules": {}}
    return ema(G_ema=persistent("Generator", state))


def with_state(state, **changed):
    return ema(G_ema=persistent("Generator", state, **changed))


def raw(*parts, protocol=4):
    """A pickle of instructions."""
    return bytes([0x80, protocol]) + b"".join(parts) + b"."


def holding_itself():
    """A module within itself: the dictionary of modules is memoized, and then given the module that has it."""
    name = pickle.GLOBAL + b"torch_utils.persistence\n_reconstruct_persistent_obj\n"
    text = lambda t: pickle.SHORT_BINUNICODE + bytes([len(t)]) + t.encode()  # noqa: E731
    modules = pickle.EMPTY_DICT + pickle.BINPUT + b"\1"
    meta = text("type") + text("class") + text("version") + b"K\6" + text("class_name") + text("Generator")
    meta += text("state") + pickle.EMPTY_DICT + text("_modules") + modules + pickle.SETITEM
    module = name + pickle.EMPTY_DICT + pickle.MARK + meta + pickle.SETITEMS + pickle.TUPLE1 + pickle.REDUCE
    again = pickle.BINPUT + b"\2" + pickle.BINGET + b"\1" + text("inner") + pickle.BINGET + b"\2" + pickle.SETITEM
    return raw(pickle.EMPTY_DICT, text("G_ema"), module, again, pickle.POP, pickle.SETITEM)


def branching(depth=14):
    """Modules of ten modules each, all the same one, fourteen deep: 10^14 of them in a kilobyte."""
    inner = persistent("Generator", {})
    for _ in range(depth):
        inner = persistent("Generator", {"_modules": {f"m{i}": inner for i in range(10)}})
    return ema(G_ema=inner)


def nested(count, instruction=pickle.TUPLE1):
    return raw(pickle.EMPTY_DICT, pickle.NONE, instruction * count, pickle.NONE, pickle.SETITEM)


def tuples(depth):
    """A tuple within a tuple within ..."""
    value = ()
    for _ in range(depth):
        value = (value,)
    return value


BIG = struct.pack("<Q", 2**60)
HOSTILE = {
    "os.system": (ema(G_ema=Call(Name("os", "system"), "touch trace")), "it names os.system"),
    "eval": (ema(augment_pipe=Call(Name("builtins", "eval"), "1")), "it names builtins.eval"),
    "getattr": (ema(D=Call(Name("builtins", "getattr"), "a", "b")), "it names builtins.getattr"),
    "a dotted name": (ema(G=Call(Name("torch._utils", "torch.os.system"), "x")), "it names torch._utils.torch.os"),
    "a name of several lines": (ema(G=Call(Name("os", "sys\n\x1b[31mtem"))), r"it names os.sys\\n\\x1b"),
    "a name at a memo's place": (raw(b"cos\nmkdir\n", b"q\0", b"0", b"h\0", b"X\1\0\0\0x\x85R"), "it names os.mkdir"),
    "INST": (raw(b"(X\1\0\0\0xios\nmkdir\n"), "instruction INST"),
    "OBJ": (raw(b"(cbuiltins\nset\no"), "instruction OBJ"),
    "EXT1": (raw(b"\x82\1"), "instruction EXT1"),
    "out-of-band buffers": (raw(b"\x97", protocol=5), "instruction NEXT_BUFFER"),
    "NEWOBJ_EX": (raw(b"cbuiltins\nset\n)}\x92"), "instruction NEWOBJ_EX"),
    "the state of a reader's function": (raw(b"cbuiltins\nset\n}X\1\0\0\0aK\1sb"), "sets the state of something"),
    "the state of a module": (
        with_state({"a": Call(Name("builtins", "set"), [1], told={"a": 1})}),
        "state of something",
    ),
    "a call of a number": (raw(b"K\1)R"), "calls something that is no function"),
    "a call of a storage": (raw(b"ctorch.storage\n_load_from_bytes\n)R"), "with other arguments"),
    "a bomb of modules": (branching(), "more than 10,000 modules"),
    "a module that holds itself": (holding_itself(), "nested more than 16 deep, or hold themselves"),
    "a list that holds itself": (raw(b"]q\0h\0a"), "no dictionary of modules"),
    "a key that is a tuple": (nested(2), "key of a dictionary is no plain value"),
    "a key of nested tuples": (nested(1_000_000), "tuples that are nested more than 100 deep"),
    "an attribute of nested tuples": (
        ema(changed={"synthesis.b4.conv1": {"conv_clamp": tuples(101)}}),
        "tuples that are nested more than 100 deep",
    ),
    "an attribute that is a tuple": (
        ema(changed={"synthesis.b4.conv1": {"conv_clamp": tuples(99)}}),
        "different values of conv_clamp",
    ),
    "a set of nested tuples": (
        raw(b"cbuiltins\nset\n]N", pickle.TUPLE1 * 1_000_000, b"a\x85R"),
        "tuples that are nested more than 100 deep",
    ),
    "an element that is a list": (raw(b"\x8f(]\x90"), "key of a dictionary is no plain value"),
    "no end": (raw(b"N")[:-1], "x.pkl is not"),
    "an empty stack": (raw(b"0a"), "no mark"),
    "a mark without a beginning": (raw(b"t"), "no mark"),
    "an append to a number": (raw(b"K\1K\2a"), "fills something that is no list"),
    "an odd dictionary": (raw(b"}(K\1u"), "key without a value"),
    "a memo of four billion": (raw(b"Nr\xff\xff\xff\xffj\xfe\xff\xff\xff"), "refers to value 4294967294"),
    "bytes of 2^60": (raw(b"\x8e", BIG, b"xx"), "x.pkl is not"),
    "text of 2^60": (raw(b"\x8d", BIG, b"xx"), "x.pkl is not"),
    "a bytearray of 2^60": (raw(b"\x96", BIG, b"xx", protocol=5), "x.pkl is not"),
    "an integer of 2^31 bytes": (raw(b"\x8b\xff\xff\xff\x7fxx"), "x.pkl is not"),
    "a number of 10,000 digits": (raw(b"L" + b"9" * 10_000 + b"L\n"), "x.pkl is not"),
    "data outside": (raw(b"K\1Q"), "refers to data outside it"),
    "version 7": (with_state({}, version=7), "version 7, and 6 is known"),
    "a huge version": (with_state({}, version=10**5000), "x.pkl is not"),
    "a function as persistent object": (with_state({}, type="function"), "a module without a state"),
    "a state that is none": (with_state([1]), "a module without a state"),
    "no class": (with_state({}, class_name=None), "a module without a class"),
    "modules without names": (with_state({"_modules": {1: 2}}), "modules of a module have no names"),
    "a module that is text": (with_state({"_modules": {"a": "b"}}), "a is no module"),
    "a tensor that is text": (with_tensor("w"), "w is no tensor"),
    "a tensor beyond its storage": (with_tensor(tensor(ARRAY, offset=1)), "reaches beyond its 4 numbers"),
    "a negative offset": (with_tensor(tensor(ARRAY, offset=-1)), "reaches beyond"),
    "negative strides": (with_tensor(tensor(ARRAY, offset=3, strides=(-1,))), "reaches beyond"),
    "a tensor of 2^60 numbers": (with_tensor(tensor(ARRAY, shape=(2**30, 2**30), strides=(0, 0))), "numbers has 4"),
    "a shape that is no number": (with_tensor(tensor(ARRAY, shape=("4",))), "no storage, or no shape"),
    "strides of another length": (with_tensor(tensor(ARRAY, strides=(1, 1))), "no storage, or no shape"),
    "a tensor without a storage": (with_tensor(tensor(ARRAY, data=3)), "a storage has no bytes"),
    "a storage of 2^60": (with_tensor(tensor(ARRAY, storage_bytes(ARRAY, size=2**60))), "storage declares"),
    "a count of 2^60": (
        with_tensor(tensor(ARRAY, storage_bytes(ARRAY, count=2**60))),
        "a storage of 4611686018427387904 bytes has 16",
    ),
    "a storage that is cut": (with_tensor(tensor(ARRAY, storage_bytes(ARRAY)[:-1])), "a storage of 16 bytes has 15"),
    "eval in a storage": (with_tensor(tensor(ARRAY, pickled(Call(Name("builtins", "eval"), "1")))), "builtins.eval"),
    "a storage of another kind": (
        with_tensor(tensor(ARRAY, storage_bytes(ARRAY, kind="UntypedStorage"))),
        "it names torch.UntypedStorage",
    ),
    "an id that is no storage": (with_tensor(tensor(ARRAY, storage_bytes(ARRAY, key=3))), "x.pkl is not"),
    "big-endian numbers": (
        with_tensor(tensor(ARRAY, storage_bytes(ARRAY, machine={"little_endian": False}))),
        "of a big-endian machine",
    ),
    "objects of NumPy": (ema(G=Call(Name("numpy", "dtype"), "O8", False, True)), "no real number"),
    "a short number of NumPy": (
        ema(G=Call(Name("numpy.core.multiarray", "scalar"), Call(Name("numpy", "dtype"), "f8"), b"1234")),
        "a NumPy number that is none",
    ),
    "the TensorFlow code": (
        pickled((Call(Name("dnnlib.tflib.network", "Network")),) * 3, 4),
        "legacy.py of NVlabs/stylegan2-ada-pytorch converts it",
    ),
    "an empty file": (b"", "it is empty"),
    "text": (b"hello\n" * 9, "x.pkl is not"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_and_damaged_files_are_refused_in_one_line(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data, message = HOSTILE[kind]
    (tmp_path / "x.pkl").write_bytes(data() if callable(data) else data)
    with pytest.raises(InputError, match=message) as caught:
        stylegan2_nvidia.read("x.pkl")
    text = str(caught.value)
    assert len(text.splitlines()) == 1
    assert len(text) < 400
    assert text.isprintable()
    assert os.listdir() == ["x.pkl"]


def test_the_source_that_comes_with_a_module_is_not_run(tmp_path):
    """It would end the process: see `official_stylegan2.persistent`."""
    assert b"raise SystemExit" in official.write(tmp_path / "x.pkl").read_bytes()
    assert stylegan2_nvidia.read(tmp_path / "x.pkl").latent == official.LATENT


def test_a_pickle_of_too_many_instructions_is_refused(monkeypatch):
    monkeypatch.setattr(reader, "MAX_INSTRUCTIONS", 100)
    assert reader.load(pickle.dumps(list(range(40))), {}) == list(range(40))
    with pytest.raises(reader.Refused, match="more than 100 instructions"):
        reader.load(pickle.dumps(list(range(101))), {})


@pytest.mark.heavy
def test_every_cut_of_a_pickle_is_refused(tmp_path):
    data = pickled({"G_ema": official.module("Generator", random_generator())}, 4)
    path = tmp_path / "x.pkl"
    for length in range(0, len(data) - 1, len(data) // 50):
        path.write_bytes(data[:length])
        with pytest.raises(InputError, match="is not a pickle of stylegan2-ada-pytorch, or is cut short"):
            stylegan2_nvidia.read(path)


def test_numbers_of_numpy_are_read(tmp_path):
    path = tmp_path / "x.pkl"
    path.write_bytes(pickled({"a": [np.float64(0.25), np.float32(2), np.int64(-3), np.bool_(True)]}, 4))
    assert nvidia_pickle.read(path) == {"a": [0.25, 2.0, -3, True]}


def test_dictionaries_of_all_kinds_are_plain_ones(tmp_path):
    path = tmp_path / "x.pkl"
    path.write_bytes(pickled({"a": OrderedDict(b=1), "b": set(), "c": {2, 3}}, 3))
    found = nvidia_pickle.read(path)
    assert found == {"a": {"b": 1}, "b": set(), "c": {2, 3}}
    assert type(found["a"]) is dict
