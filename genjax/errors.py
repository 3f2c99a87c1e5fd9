"""The exception for bad input, as opposed to bugs, and helpers for its messages."""

import difflib
import importlib
from collections.abc import Iterable
from types import ModuleType

EXTRAS = {"av": ("av", "video"), "h5py": ("h5py", "hdf5"), "pyarrow": ("pyarrow", "parquet")}
EXTRAS |= {"sklearn": ("scikit-learn", "bench"), "flatbuffers": ("flatbuffers", "export")}
EXTRAS |= {"grain": ("grain", "grain"), "cloudpickle": ("cloudpickle", "grain")}
EXTRAS |= {module: (module, "onnx") for module in ("jax2onnx", "onnxruntime")}
"""Optional modules -> their package, and the extra of pyproject.toml that has it."""


class InputError(ValueError):
    """Bad input. The message says what was got, what was expected and what to do.

    Commands print it without a traceback and exit with code 2.
    """


class NotApplicable(InputError):
    """A number or image that does not exist for this run or these examples; the message says why."""


def optional(module: str, user: str) -> ModuleType:
    """A module of EXTRAS. Raises: InputError if it cannot be imported; `user` is what needs it, such as "an MP4"."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package, extra = EXTRAS[module.partition(".")[0]]
        raise InputError(
            f"{user} needs {package} ({error}): pip install {package}, or pip install 'genjax-models[{extra}]'"
        ) from error


def did_you_mean(got: str, known: Iterable[str]) -> str:
    """The text " (did you mean 'x'?)" for the nearest of the known names, or none."""
    nearest = difflib.get_close_matches(str(got), [str(name) for name in known], n=1)
    return f" (did you mean {nearest[0]!r}?)" if nearest else ""
