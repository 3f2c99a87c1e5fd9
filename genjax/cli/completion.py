"""Completion of a command line: the script of a shell asks `genjax __complete LINE` for the words that fit.

absl's flags have no completion of their own, and the well-kept libraries for it read argparse. The keys of a config
follow from its file: it is loaded once, and its keys are kept in the user's cache folder.
"""

import contextlib
import hashlib
import importlib
import io
import json
import os
import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from genjax import config_files, config_table
from genjax.files import user_cache, write_bytes

COMMAND = "__complete"

BASH = r"""_genjax() {
    local line="${COMP_LINE:0:COMP_POINT}" IFS=$'\n'
    local word="${line##*[[:space:]]}" head="" sign
    COMPREPLY=($("${COMP_WORDS[0]}" __complete "$line" 2>/dev/null))
    for sign in = :; do  # where readline divides words: it replaces what follows the last of these alone
        if [[ $COMP_WORDBREAKS == *"$sign"* && $word == *"$sign"* ]]; then
            local before="${word%"$sign"*}$sign"
            (( ${#before} > ${#head} )) && head="$before"
        fi
    done
    COMPREPLY=("${COMPREPLY[@]#"$head"}")
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=/.] ]]; then compopt -o nospace; fi
}
complete -o nosort -F _genjax genjax
"""

ZSH = r"""#compdef genjax
_genjax() {
    local -a found open
    found=("${(@f)$(${words[1]} __complete "${LBUFFER}" 2>/dev/null)}")
    open=("${(@M)found:#*[=/.]}")
    found=("${(@)found:#*[=/.]}")
    (( ${#open} )) && compadd -S '' -- "${open[@]}"
    (( ${#found} )) && [[ -n ${found[1]} ]] && compadd -- "${found[@]}"
}
compdef _genjax genjax
"""

FISH = r"""function __genjax_complete
    genjax __complete (commandline --cut-at-cursor | string collect)
end
complete --command genjax --no-files --arguments '(__genjax_complete)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
"""Scripts by shell, which print nothing and ask `COMMAND` when a word is completed."""

POSITIONAL = {"train": "config", "configs": "name", "completion": "shell"}
"""Commands whose first word may be the value of this flag."""

NAMES = ("config", "name")
"""Flags whose values are names of configs."""


def answer(line: str, commands: Iterable[str]) -> list[str]:
    """The words that the last word of a line may become; those that end in = / or . go on."""
    words = _words(line)
    word = words[-1]
    if len(words) <= 2:
        return [name for name in sorted([*commands, "help"]) if name.startswith(word)]
    command, earlier = words[1], words[2:-1]
    if command not in commands:
        return []
    if word.startswith("-"):
        return _fitting(word, _flag_words(command, earlier, word))
    if command in POSITIONAL and not earlier:
        return _fitting(word, _values(_defined(command)[POSITIONAL[command]], word))
    return []


def _words(line: str) -> list[str]:
    """The words of a line up to the cursor, the last of which may be empty."""
    for end in ("", "'", '"'):  # an open quote is closed
        with contextlib.suppress(ValueError):
            words = shlex.split(line + end)
            return [*words, ""] if not words or (line[-1:].isspace() and not end) else words
    return [""]


def _fitting(word: str, choices: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(choice for choice in choices if choice.startswith(word)))


def _defined(command: str) -> dict[str, Any]:
    """The flags of a command by name, without those of absl's own."""
    from absl import flags

    with contextlib.redirect_stdout(io.StringIO()):
        importlib.import_module(f"genjax.{command}").define_flags()
    modules = flags.FLAGS.flags_by_module_dict()
    return {flag.name: flag for module, own in sorted(modules.items()) if "absl" not in module for flag in own}


def _flag_words(command: str, earlier: list[str], word: str) -> Iterator[str]:
    """Flags, keys of the config, or values, in the place of a word that begins with -."""
    flags = _defined(command)
    dashes = "--" if word.startswith("--") or word == "-" else "-"
    name, equals, value = word.lstrip("-").partition("=")
    if name.startswith("config.") and "config" in flags:
        for key in _keys(earlier):
            yield from _key_words(key, name, f"{dashes}config.", value if equals else None)
    elif equals and name in flags:
        yield from (f"{dashes}{name}={choice}" for choice in _values(flags[name], value))
    elif not equals:
        for flag in flags.values():
            yield from [f"{dashes}{flag.name}", f"{dashes}no{flag.name}"] if flag.boolean else [f"{dashes}{flag.name}="]
        yield from [f"{dashes}config."] if "config" in flags and _source(earlier) else []
        yield f"{dashes}help"


def _key_words(key: tuple[str, Any], name: str, prefix: str, value: str | None) -> Iterator[str]:
    """A key up to its next dot, as folders are completed, or its value: a data source, a truth, or the present one."""
    key, default = key
    if value is None:
        inside = name.removeprefix("config.").rpartition(".")[0]
        if key.startswith(f"{inside}." if inside else ""):
            rest = key[len(inside) + 1 :] if inside else key
            part, dot, _ = rest.partition(".")
            yield f"{prefix}{inside}{'.' if inside else ''}{part}{dot or '='}"
    elif f"config.{key}" == name:
        choices = [default]
        if isinstance(default, bool):
            choices = ["true", "false"]
        elif key == "data.name":
            from genjax.data.registry import SOURCES

            choices = [default, *(re.sub("(?<=:).*", "", record.name) for record in SOURCES)]
        yield from (f"{prefix}{key}={choice}" for choice in choices)


def _values(flag: Any, value: str) -> Iterator[str]:
    """The values of a flag: names of configs, choices, or paths."""
    from genjax.cli.flags import PathParser

    if flag.name in NAMES:
        if ":" in value:
            name = value.partition(":")[0]
            yield from (f"{name}:{variant}" for variant in _variants(name))
        else:
            yield from config_files.names()
            yield from _paths(value) if "/" in value or value.startswith((".", "~")) else []
    elif choices := getattr(flag.parser, "enum_values", None):
        yield from choices
    elif flag.boolean:
        yield from ("true", "false")
    elif isinstance(flag.parser, PathParser) or flag.name in ("runs", "content", "style"):
        yield from _paths(value)


def _variants(name: str) -> list[str]:
    return config_table.variants(name) if name in config_files.names() else []


def _paths(value: str) -> Iterator[str]:
    """Files and folders, the latter with a / at the end."""
    folder, slash, name = value.rpartition("/")
    place = Path(os.path.expanduser(folder + slash) or ".")
    try:
        entries = sorted(place.iterdir())
    except OSError:
        return
    for path in entries:
        if path.name.startswith(".") <= name.startswith("."):
            yield f"{folder}{slash}{path.name}{'/' if path.is_dir() else ''}"


def _source(earlier: list[str]) -> str:
    """The config that the words of a line name, by --config, in the first place, or by the folder of a run."""
    flags = dict(word.lstrip("-").split("=", 1) for word in earlier if word.startswith("-") and "=" in word)
    first = earlier[0] if earlier and not earlier[0].startswith("-") else ""
    return flags.get("config") or first or flags.get("workdir", "")


def _keys(earlier: list[str]) -> list[tuple[str, Any]]:
    """The keys of the config that a line names, with their values; none where it cannot be loaded."""
    run = Path(_source(earlier)) / "config.json"
    try:
        if _source(earlier) and run.is_file():
            return list(_flat(json.loads(run.read_text("utf-8"))["config"]))
        return _kept(config_files.located(_source(earlier)))
    except Exception:  # a config file may raise anything, and a shell has no place for a message
        return []


def _flat(config: dict, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in config.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _kept(located: str) -> list[tuple[str, Any]]:
    """The keys of a config file, from the cache folder where neither it nor genjax's tasks have changed."""
    path = Path(located.partition(":")[0]).resolve()
    files = [path, *sorted((config_files.PACKAGE / "tasks").glob("*.py")), config_files.PACKAGE / "config.py"]
    state = [located, *((str(file), file.stat().st_mtime_ns) for file in files)]
    cache = user_cache("completion") / f"{hashlib.sha256(json.dumps(state).encode()).hexdigest()[:16]}.json"
    with contextlib.suppress(OSError, ValueError):
        return [tuple(pair) for pair in json.loads(cache.read_text("utf-8"))]
    with contextlib.redirect_stdout(io.StringIO()):
        config = config_files.load(located)
    keys = [
        (key, value if isinstance(value, bool | int | float | str) else str(value)) for key, value in _items(config)
    ]
    with contextlib.suppress(OSError):
        write_bytes(cache, json.dumps(keys).encode())
    return keys


def _items(config: Any) -> Iterator[tuple[str, Any]]:
    from genjax.config import flat

    return iter(flat(config).items())
