"""Start and end of all commands: parsing of flags, one-line messages for mistakes, and exit codes.

Exit codes: 0 done; 1 stopped by a fault (diverged, disk full); 2 bad input; 128 + n stopped by signal n.
"""

import math
import os
import re
import signal
import sys
import warnings
from collections.abc import Callable
from logging import getLogger
from pathlib import Path

from absl import app, flags, logging

from genjax.cli.memory import collect_less, on_one_stack
from genjax.cli.streams import print_anything
from genjax.config_files import located, names
from genjax.errors import InputError, did_you_mean
from genjax.files import expand


def run(main: Callable[[], int | None], rewrite: Callable[[list[str]], list[str]] | None = None) -> None:
    """Parse the flags, run `main`, print mistakes without a traceback, exit.

    `rewrite` turns the words of the command line into flags, for commands that take one without (see `positional`).
    """
    if rewrite:
        sys.argv[:] = guarded(lambda: rewrite(sys.argv))  # which flags of configs read again
    logging.set_verbosity(logging.FATAL)  # Orbax and TFDS log much, tracebacks of the errors that they raise included
    logging.use_absl_handler()
    getLogger("matplotlib").setLevel("ERROR")  # it warns where it cannot keep its fonts
    os.environ["MPLBACKEND"] = "agg"  # a notebook names its own, which Matplotlib refuses where that is not installed
    print_anything()
    collect_less()
    warnings.filterwarnings("ignore", module=r"PIL\.")  # of odd metadata, which are not read
    on_one_stack(lambda: app.run(lambda argv: guarded(lambda: _no_leftovers(argv) or main()), flags_parser=_parse))


def positional(argv: list[str], flag: str) -> list[str]:
    """The command line with a first word that is no flag as the value of one: `--name=demo` in the place of `demo`."""
    if len(argv) > 1 and argv[1] and not argv[1].startswith("-"):
        return [argv[0], f"--{flag}={argv[1]}", *argv[2:]]
    return argv


def guarded(call: Callable) -> int | None:
    """Return `call()`; mistakes end the process with a message and their exit code."""
    try:
        return call()
    except InputError as error:
        fail(str(error), 2)
    except UnicodeEncodeError as error:  # of a file's name
        name = error.object.encode(error.encoding, "backslashreplace").decode(error.encoding)
        fail(f"{name} cannot be a file's name in the encoding {error.encoding} of this locale: set PYTHONUTF8=1", 2)
    except KeyboardInterrupt:  # before training began
        fail("interrupted", 128 + signal.SIGINT)
    except BrokenPipeError:  # the reader of a pipe has closed it, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def fail(message: str, code: int) -> None:
    """End the process with a message on stderr."""
    print(f"error: {message}", file=sys.stderr)
    sys.exit(code)


def _no_leftovers(argv: list[str]) -> None:
    if len(argv) > 1:
        raise InputError(f"{argv[1]!r} is not a flag: values follow '=', as in --workdir=runs/x")


def _parse(argv: list[str]) -> list[str]:
    return guarded(lambda: _parse_flags(argv))


def _parse_flags(argv: list[str]) -> list[str]:
    argv = [re.sub("(?<=^--config=).+", lambda text: located(expand(text[0])), argument) for argument in argv]
    try:
        rest = flags.FLAGS(argv)
        if "config" in flags.FLAGS:
            getattr(flags.FLAGS.config, "task", None)  # a config file that did not load raises only when it is used
        _refuse_nan()
        _refuse_sets(argv)
        return rest
    except (BrokenPipeError, InputError):
        raise
    except flags.UnrecognizedFlagError as error:
        own = [name for name in flags.FLAGS if not name.startswith("config.")]
        raise InputError(f"no flag --{error.flagname}{did_you_mean(error.flagname, own)}; see --help") from error
    except (flags.Error, OSError, AttributeError, KeyError, TypeError, ValueError, SyntaxError) as error:
        raise InputError(_explain(error, argv)) from error


def _refuse_nan() -> None:
    """Raises: InputError for a flag whose number is NaN or infinite, which pass any bound; configs check their own."""
    for name in flags.FLAGS:
        value = flags.FLAGS[name].value
        if isinstance(value, float) and not math.isfinite(value) and not name.startswith("config."):
            raise InputError(f"--{name}={value}: expected a finite number")


def _refuse_sets(argv: list[str]) -> None:
    """Raises: InputError for a set or a dictionary as the value of a list, whose order it would not keep."""
    for match in (re.match(r"--?config\.([^=]+)=\s*\{", argument) for argument in argv):
        if match and isinstance(flags.FLAGS[f"config.{match[1]}"].value, list | tuple):
            raise InputError(f"{match.string}: expected numbers in parentheses, as in --config.{match[1]}='(8, 4)'")


def _explain(error: BaseException, argv: list[str]) -> str:
    """One line for an error of ml_collections or absl."""
    chain = [error]
    while (inner := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(inner)
    text = "\n".join(str(link) for link in chain)
    if "genjax.errors.InputError: " in text:  # raised in the config file, quoted by config_flags with its traceback
        return text.split("genjax.errors.InputError: ")[1].splitlines()[0]
    config = next((arg.split("=", 1)[1] for arg in argv if re.match(r"--?config=", arg)), "")
    path = Path(config.split(":")[0])
    if "Configuration is not available" in text or "Failed loading config" in text or "No such file" in text:
        if config and not path.exists():
            near = sorted(str(p) for p in path.parent.glob("*.py")) if path.suffix and path.parent.is_dir() else names()
            choices = f"; choose from {', '.join(near)}" if near else ""
            return f"--config={config}: no such file{did_you_mean(str(path), near)}{choices}"
        return f"--config={config} cannot be loaded: {_last_line(text)}"
    if config and (explanation := _explain_keys(argv)):
        return explanation
    if match := re.search(r'Did you mean "([^"]+)" instead of "([^"]+)"', text):  # in the config file
        return f"--config={config} has no key {match[2]!r} (did you mean {match[1]!r}?)"
    return _last_line(str(error))


def _explain_keys(argv: list[str]) -> str:
    """A line on the first --config.KEY that the config does not have, or that has keys of its own; "" without one."""
    from genjax.config import flat

    path = next(arg.split("=", 1)[1] for arg in argv if re.match(r"--?config=", arg))
    try:
        config = flags.FLAGS["config"].parser.parse(path)
    except Exception:  # a config file may raise anything
        return ""
    known = flat(config)
    sections = {key[: match.start()] for key in known for match in re.finditer(r"\.", key)}
    for match in (re.match(r"--?(?:no)?config\.([^=]*)", argument) for argument in argv):
        if match and match[1] in sections:
            near = next(key for key in known if key.startswith(f"{match[1]}."))
            return f"--config.{match[1]} has keys of its own: set one of them, as in --config.{near}={known[near]}"
        if match and match[1] not in known:
            return f"--config has no key {match[1]!r}{did_you_mean(match[1], known)}; --dry_run lists all keys"
    return ""


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip() and "Pass --help" not in line]
    return lines[-1] if lines else "unknown error"
