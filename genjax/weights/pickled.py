"""Pickles as data: plain values, and calls of the few functions that a reader knows. Nothing else is imported or run.

`pickle.Unpickler` calls whatever a file names, allocates what it declares, and lets a file change the functions that
it was given. This is a machine of its own for the same instructions, over `pickletools.genops`, which checks each
declared size against the bytes that are left. A name that the reader does not know is refused where it stands; one
that it knows stands for the reader's own function or value, which no instruction can change.
"""

import mmap
import os
import pickletools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO, NamedTuple

MAX_INSTRUCTIONS = 2_000_000
"""A pickle of more is refused: each instruction may cost a hundred bytes. Published weights have tens of thousands."""

MAX_DEPTH = 100
"""Of tuples within tuples: Python hashes them by recursion without a limit, which ends the process."""

SCALARS = str | bytes | int | float | None
"""What a key of a dictionary or an element of a set may be."""

ITSELF = (
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
)
"""Instructions that push their argument."""

CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
MUTABLE = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_SET": set}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
IGNORED = ("PROTO", "FRAME")


class Refused(ValueError):
    """A pickle that is no data of a known kind. The message is one line."""


class Known(NamedTuple):
    """A name in a pickle, and its meaning. A tuple cannot be changed, whatever a pickle says about it."""

    name: str
    value: Any  # a function, or a value


def no_persistent_id(pid: Any) -> Any:
    """Raises: Refused."""
    raise Refused("it refers to data outside it")


def no_state(result: Any, state: Any) -> None:
    """Raises: Refused unless the state belongs to a dictionary, such as PyTorch's `_metadata`, which are left out."""
    if not isinstance(result, dict):
        raise Refused("it sets the state of something that has none")


def load(
    stream: BinaryIO | mmap.mmap | bytes,
    names: Mapping[str, Any],
    persistent: Callable[[Any], Any] = no_persistent_id,
    set_state: Callable[[Any, Any], None] = no_state,
) -> Any:
    """The value of the next pickle of a stream, up to its end.

    `names` has the functions and values that it may name, by "module.name"; `persistent` makes values of persistent
    ids; `set_state` is called with the result of a call and what a pickle says of its state.
    Raises: Refused for names that are not known and instructions that make no sense; ValueError for damaged bytes;
    whatever `names` and the others raise.
    """
    machine = _Machine(names, persistent, set_state)
    for count, (instruction, argument, _) in enumerate(pickletools.genops(stream)):
        if count >= MAX_INSTRUCTIONS:
            raise Refused(f"it has more than {MAX_INSTRUCTIONS:,} instructions")
        if instruction.name == "STOP":
            return machine.pop()
        machine.step(instruction.name, argument)
    raise Refused("it has no end")


@contextmanager
def mapped(path: str | os.PathLike) -> Iterator[mmap.mmap]:
    """A file as a stream whose reads end at the file's end, however much is asked for.

    Raises: OSError if it cannot be read; Refused if it is empty.
    """
    with open(path, "rb") as file:
        if not os.fstat(file.fileno()).st_size:
            raise Refused("it is empty")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as stream:
            yield stream


class _Machine:
    """The stack, the marked stacks below it, and the memo."""

    def __init__(self, names, persistent, set_state):
        self.names, self.persistent, self.set_state = names, persistent, set_state
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.depths: dict[int, int] = {}  # of tuples by id; a later tuple of the same id replaces its own

    def step(self, name: str, argument: Any) -> None:
        """Run one instruction."""
        if name in ITSELF:
            self.stack.append(argument)
        elif name in CONSTANTS:
            self.stack.append(CONSTANTS[name])
        elif name in MUTABLE:
            self.stack.append(MUTABLE[name]())
        elif name in TUPLES:
            self._push_tuple([self.pop() for _ in range(TUPLES[name])][::-1])
        elif name not in IGNORED:
            method = getattr(self, f"do_{name.lower()}", None)
            if method is None:
                raise Refused(f"it has the instruction {name}, which weights do not need")
            method(argument)

    def pop(self) -> Any:
        """The last value."""
        if not self.stack:
            raise Refused("its stack is empty where a value is needed")
        return self.stack.pop()

    def _last(self, kind: type) -> Any:
        """The value that an instruction fills, left on the stack."""
        if not self.stack or not isinstance(self.stack[-1], kind):
            raise Refused(f"it fills something that is no {kind.__name__}")
        return self.stack[-1]

    def _since_mark(self) -> list[Any]:
        """The values since the last mark."""
        if not self.below:
            raise Refused("it has no mark where one is needed")
        values, self.stack = self.stack, self.below.pop()
        return values

    # Containers

    def do_mark(self, _):
        self.below.append(self.stack)
        self.stack = []

    def do_tuple(self, _):
        self._push_tuple(self._since_mark())

    def _push_tuple(self, values):
        depth = 1 + max((self.depths.get(id(value), 1) for value in values if type(value) is tuple), default=0)
        if depth > MAX_DEPTH:
            raise Refused(f"it has tuples that are nested more than {MAX_DEPTH} deep")
        self.stack.append(tuple(values))
        self.depths[id(self.stack[-1])] = depth

    def do_list(self, _):
        values = self._since_mark()
        self.stack.append(values)

    def do_dict(self, _):
        values = self._since_mark()
        self.stack.append({})
        self._set_items(values)

    def do_append(self, _):
        value = self.pop()
        self._last(list).append(value)

    def do_appends(self, _):
        values = self._since_mark()
        self._last(list).extend(values)

    def do_setitem(self, _):
        value, key = self.pop(), self.pop()
        self._set_items([key, value])

    def do_setitems(self, _):
        self._set_items(self._since_mark())

    def _set_items(self, values):
        if len(values) % 2:
            raise Refused("a dictionary has a key without a value")
        target = self._last(dict)
        for key, value in zip(values[::2], values[1::2], strict=True):
            target[_scalar(key)] = value

    def do_additems(self, _):
        values = self._since_mark()
        self._last(set).update(set_of(values))

    def do_frozenset(self, _):
        values = self._since_mark()
        self.stack.append(frozenset(map(_scalar, values)))

    # Stack and memo

    def do_pop(self, _):
        if self.stack:
            self.stack.pop()
        else:
            self._since_mark()

    def do_pop_mark(self, _):
        self._since_mark()

    def do_dup(self, _):
        self.stack.append(self._last(object))

    def do_put(self, index):
        self.memo[index] = self._last(object)

    def do_memoize(self, _):
        self.do_put(len(self.memo))

    def do_get(self, index):
        if index not in self.memo:
            raise Refused(f"it refers to value {index}, which it does not have")
        self.stack.append(self.memo[index])

    do_binput = do_long_binput = do_put
    do_binget = do_long_binget = do_get

    # Names and calls

    def do_global(self, argument):
        self._name(argument.replace(" ", ".", 1))

    def do_stack_global(self, _):
        name, module = self.pop(), self.pop()
        self._name(f"{module}.{name}" if isinstance(name, str) and isinstance(module, str) else "no text")

    def _name(self, name):
        if name not in self.names:
            raise Refused(f"it names {ascii(name)[1:-1][:80]}")
        self.stack.append(Known(name, self.names[name]))

    def do_reduce(self, _):
        arguments, function = self.pop(), self.pop()
        if not isinstance(function, Known) or not callable(function.value) or not isinstance(arguments, tuple):
            raise Refused("it calls something that is no function")
        try:
            self.stack.append(function.value(*arguments))
        except TypeError as error:
            raise Refused(f"it calls {function.name} with other arguments than PyTorch does") from error

    do_newobj = do_reduce

    def do_build(self, _):
        state = self.pop()
        self.set_state(self._last(object), state)

    def do_binpersid(self, _):
        self.stack.append(self.persistent(self.pop()))


def dictionary(items: Iterable[Sequence[Any]] = ()) -> dict[Any, Any]:
    """A dictionary of pairs, as the call of a dictionary's class has them. Raises: Refused for keys of other kinds."""
    return {_scalar(key): value for key, value in items}


def set_of(items: Iterable[Any] = ()) -> set[Any]:
    """A set, as the call of its class has its elements. Raises: Refused for elements of other kinds."""
    return set(map(_scalar, items))


def _scalar(key: Any) -> Any:
    """A key or an element. Raises: Refused for values that are not plain."""
    if not isinstance(key, SCALARS):
        raise Refused("a key of a dictionary is no plain value")
    return key
