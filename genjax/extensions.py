"""Nets, losses, data, metrics, tasks and images of other packages, named in a config as "package.module:name".

A name of this form works wherever a name of genjax does. Its object is imported, checked like genjax's own, and
recorded in config.json with the SHA-256 of its module's source, so that a change of the code is detected.
"""

import hashlib
import importlib
import inspect
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from genjax.errors import InputError, did_you_mean

PATTERN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


def is_extension(name: str, prefixes: tuple[str, ...] = ()) -> bool:
    """Whether a name has the form "package.module:name"; `prefixes` are words before a colon with other meanings."""
    return bool(PATTERN.fullmatch(name)) and name.partition(":")[0] not in prefixes


def find(choices: Mapping[str, Any], name: str, key: str, check: Callable[[Any], None] = lambda value: None) -> Any:
    """choices[name], or the object of "package.module:name" after `check` has accepted it.

    `key` is the config's key or the flag, for messages; `check` raises InputError for an object that does not fit.
    Raises: InputError that lists the choices, or says why the name cannot be imported or does not fit.
    """
    if name in choices:
        return choices[name]
    if not is_extension(name):
        if not choices:
            raise InputError(f"{key}={name!r}: expected a name of the form 'package.module:name'")
        known = ", ".join(map(repr, choices))
        near = did_you_mean(name, choices)
        raise InputError(f"{key}: no {name!r}{near}; choose from {known}, or your own as 'package.module:name'")
    value = load(name, key)
    try:
        check(value)
    except InputError as error:
        raise InputError(f"{key}={name!r}: {error}") from error
    return value


def takes(*inputs: str) -> Callable[[Any], None]:
    """A check for `find`: the object can be called with one positional argument per name in `inputs`."""

    def check(function):
        try:
            inspect.signature(function).bind(*inputs)
        except (TypeError, ValueError) as error:
            raise InputError(f"expected a function ({', '.join(inputs)}), but it is {function!r}") from error

    return check


def load(name: str, key: str) -> Any:
    """Import the object of "package.module:name"; the working folder is searched too. Raises: InputError."""
    module_name, _, attribute = name.partition(":")
    if (here := os.getcwd()) not in sys.path:
        sys.path.insert(0, here)  # console scripts do not search it
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # importing another package's module can raise anything
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InputError(f"{key}={name!r}: the module {module_name} cannot be imported ({reason})") from error
    if not hasattr(module, attribute):
        near = did_you_mean(attribute, [n for n in vars(module) if not n.startswith("_")])
        raise InputError(f"{key}={name!r}: the module {module_name} has no {attribute!r}{near}")
    return getattr(module, attribute)


def digests(config: Mapping[str, Any]) -> dict[str, str]:
    """The SHA-256 of the source of every extension that a config names, by "package.module:name".

    Names may be in lists with commas, or after a prefix as in the data source "stacked:my.data:digits". Only modules
    that `load` has imported count.
    """
    parts = (part for text in _texts(config) for part in text.split(","))
    names = {name for part in parts if is_extension(name := _last(part))}
    result = {}
    for name in sorted(names):
        file = getattr(sys.modules.get(name.partition(":")[0]), "__file__", None)
        if file:
            result[name] = hashlib.sha256(Path(file).read_bytes()).hexdigest()
    return result


def _last(part: str) -> str:
    """The last two words between colons: "my.data:digits" of "stacked:my.data:digits"."""
    return ":".join(part.strip(' "').split(":")[-2:])


def _texts(value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | ConfigDict):
        yield from _texts(list(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
