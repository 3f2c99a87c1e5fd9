"""The console script: `genjax train ...` is `python -m genjax.train ...`, and `genjax --help` lists the commands."""

import ast
import runpy
import sys
from pathlib import Path

from genjax import __version__
from genjax.cli import entry
from genjax.errors import InputError, did_you_mean

COMMANDS = (
    *("census", "pack", "train", "sample", "evaluate", "encode", "reconstruct"),
    *("show", "explore", "compare", "rate", "project", "stylize", "translate", "export", "convert"),
)


def claim(command: str) -> str:
    """A command's claim: the first line of its module's docstring up to the example. Nothing is imported."""
    source = (Path(__file__).parents[1] / f"{command}.py").read_text("utf-8")
    return ast.get_docstring(ast.parse(source)).splitlines()[0].partition(": python -m ")[0]


def usage() -> str:
    """The commands with their claims."""
    width = max(map(len, COMMANDS))
    lines = [f"  {command:{width}}  {claim(command)}" for command in COMMANDS]
    begin = [f"genjax {__version__}", "", "usage: genjax COMMAND --flag=value ...", ""]
    return "\n".join([*begin, *lines, "", "genjax COMMAND --help lists the flags of a command."])


def main() -> int | None:
    """Run the command that the first argument names."""
    return entry.guarded(lambda: _dispatch(sys.argv[1:]))


def _dispatch(arguments: list[str]) -> int:
    command = arguments[0] if arguments else "--help"
    if command in ("--help", "-h", "help"):
        print(usage())
        return 0
    if command == "--version":
        print(__version__)
        return 0
    if command not in COMMANDS:
        near = did_you_mean(command, COMMANDS)
        raise InputError(f"genjax has no command {command!r}{near}; choose from {', '.join(COMMANDS)}")
    sys.argv = sys.argv[1:]
    runpy.run_module(f"genjax.{command}", run_name="__main__", alter_sys=True)  # as python -m does it
    return 0
