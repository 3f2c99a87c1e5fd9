"""The console script: `genjax train ...` is `python -m genjax.train ...`, and `genjax --help` lists the commands.

`genjax` alone says what to try next.
"""

import ast
import runpy
import shlex
import sys
from pathlib import Path

from genjax import __version__, config_files, config_table
from genjax.cli import completion, entry
from genjax.errors import InputError, did_you_mean

COMMANDS = (
    "configs",
    *("census", "pack", "train", "sample", "evaluate", "encode", "reconstruct"),
    *("show", "explore", "compare", "rate", "project", "stylize", "translate", "export", "convert"),
    "film",
    "completion",
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


def welcome() -> str:
    """A list of what to try next: in an empty folder, or with runs in it. Nothing is imported."""
    demo = config_table.results_of("demo")[0]
    steps = [
        ("genjax train demo:smoke", "a tiny training in seconds, to see that all works"),
        ("genjax train demo", f"a GAN that draws clothes: {demo.time} on two cores of a server CPU"),
        ("genjax configs", f"the {len(config_files.names())} configs with their tasks, sizes, times and results"),
    ]
    if run := _newest_run(Path("runs")):
        run = shlex.quote(str(run))
        steps += [
            (f"genjax show --workdir={run}", "images of the newest run here; its page is report.html in that folder"),
            (f"genjax evaluate --workdir={run}", "every metric that applies to it"),
            (f"genjax train {run}", "go on with it, if it is not done"),
        ]
    else:
        steps += [
            ("genjax census --data=FOLDER", "your own images, looked through before training on them"),
            ("genjax stylize --content=photo.jpg --style=art.jpg", "style transfer, with packaged nets"),
        ]
    steps += [
        ("genjax --help", "the other commands: sample, encode, project, translate, export, ..."),
        ('eval "$(genjax completion bash)"', "TAB completes commands, flags and config keys; also zsh and fish"),
    ]
    width = max(len(command) for command, _ in steps)
    lines = [f"  {command:{width}}  {text}" for command, text in steps]
    begin = f"genjax {__version__}: autoencoders, GANs, translation and style transfer in JAX"
    return "\n".join([begin, "", *lines])


def _newest_run(folder: Path) -> Path | None:
    """The run of a folder that was written to last."""
    runs = [path for path in folder.glob("*") if (path / "config.json").is_file()]
    return max(runs, key=lambda path: path.stat().st_mtime, default=None)


def main() -> int | None:
    """Run the command that the first argument names."""
    return entry.guarded(lambda: _dispatch(sys.argv[1:]))


def _dispatch(arguments: list[str]) -> int:
    if not arguments:
        print(welcome())
        return 0
    command = arguments[0]
    if command in ("--help", "-h", "help"):
        print(usage())
        return 0
    if command == "--version":
        print(__version__)
        return 0
    if command == completion.COMMAND:
        print(*completion.answer(" ".join(arguments[1:]), COMMANDS), sep="\n")
        return 0
    if command not in COMMANDS:
        near = did_you_mean(command, COMMANDS)
        raise InputError(f"genjax has no command {command!r}{near}; choose from {', '.join(COMMANDS)}")
    sys.argv = sys.argv[1:]
    runpy.run_module(f"genjax.{command}", run_name="__main__", alter_sys=True)  # as python -m does it
    return 0
