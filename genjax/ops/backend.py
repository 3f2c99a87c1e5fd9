"""The backend that programs are written for. Nothing else asks for it."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

import jax

_chosen = ContextVar("platform", default="")


def target() -> str:
    """The platform that traced programs are for: "cpu", "gpu" or "tpu" of this process, or that of `writing_for`."""
    return _chosen.get() or jax.default_backend()


def on_cpu() -> bool:
    """Whether the forms of `genjax.ops.cpu` are used; elsewhere it is the plain ones."""
    return target() == "cpu"


def slices_windows() -> bool:
    """Whether pooling is written as slices of the map: on CPU, and for ONNX, whose converter mistakes channels."""
    return target() in ("cpu", "onnx")


def doubles_by_slices() -> bool:
    """Whether bilinear doubling is written as slices, not as products: on CPU in a third of the time, and for ONNX."""
    return target() in ("cpu", "onnx")


def filter_form(channels: int) -> str:
    """The form of low-pass filters that passes least often over a map of some channels: see `ops.resample`.

    Compiled for an H100, a window is one pass where two axes are two; for a v5e, strided slices are up to fifteen
    passes and a convolution per channel one to three, if channels fill its registers' 128 lanes
    (`python -m experiments.scaling.layers`).
    """
    if target() == "gpu":
        return "window"
    return "depthwise" if target() == "tpu" and channels % 128 == 0 else "axes"


def pads() -> bool:
    """Whether zeros around and between pixels are a padding; ONNX has none between, and its converter fails on some."""
    return target() != "onnx"


def constants() -> contextlib.AbstractContextManager:
    """Within it, what depends on no input is computed while it is traced, for ONNX, whose noise is another's."""
    return jax.ensure_compile_time_eval() if target() == "onnx" else contextlib.nullcontext()


@contextlib.contextmanager
def writing_for(platform: str) -> Iterator[None]:
    """Programs traced within are for another platform than this process's: "any", by the plain forms, or "onnx".

    Trace new functions alone: JAX keeps the trace of a function, whatever it was written for.
    """
    token = _chosen.set(platform)
    try:
        yield
    finally:
        _chosen.reset(token)
