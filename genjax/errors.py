"""The exception for bad input, as opposed to bugs, and helpers for its messages."""

import difflib
import importlib
import importlib.util
from collections.abc import Iterable
from types import ModuleType

EXTRAS = {"av": ("av", "video"), "h5py": ("h5py", "hdf5"), "pyarrow": ("pyarrow", "parquet")}
EXTRAS |= {"sklearn": ("scikit-learn", "bench"), "flatbuffers": ("flatbuffers", "export")}
EXTRAS |= {"grain": ("grain", "grain"), "cloudpickle": ("cloudpickle", "grain")}
EXTRAS |= {"wandb": ("wandb", "wandb"), "mlflow": ("mlflow-skinny", "mlflow"), "trackio": ("trackio", "trackio")}
EXTRAS |= {"nicegui": ("nicegui", "explore")}
EXTRAS |= {"cv2": ("opencv-python-headless", "flow")}
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
        raise InputError(_lacks(module, user, f" ({error})")) from error


def need(module: str, user: str) -> None:
    """Raises: InputError if a module of EXTRAS is not installed. It is not imported, which may take seconds."""
    if importlib.util.find_spec(module) is None:
        raise InputError(_lacks(module, user))


def _lacks(module: str, user: str, reason: str = "") -> str:
    package, extra = EXTRAS.get(module.partition(".")[0], (module, ""))
    extra = f", or pip install 'genjax-models[{extra}]'" if extra else ""
    return f"{user} needs {package}{reason}: pip install {package}{extra}"


def did_you_mean(got: str, known: Iterable[str]) -> str:
    """The text " (did you mean 'x'?)" for the nearest of the known names, or none."""
    nearest = difflib.get_close_matches(str(got), [str(name) for name in known], n=1)
    return f" (did you mean {nearest[0]!r}?)" if nearest else ""
