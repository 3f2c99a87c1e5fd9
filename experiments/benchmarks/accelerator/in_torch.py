"""Times of the same steps in PyTorch, on the same device: the peer of experiments.benchmarks.peers."""

import contextlib
import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from experiments.benchmarks.accelerator.parts import Context
from experiments.benchmarks.accelerator.program import SETTINGS, timed
from experiments.benchmarks.worker import images
from experiments.benchmarks.workloads import WORKLOADS
from genjax.errors import InputError

MOST = 10_000
"""Steps per call at most."""


def steps(
    context: Context,
    workload: str,
    points: Sequence[tuple[int, str]],
    form: str = "eager",
    calls: int = 5,
    call_seconds: float = 0.4,
) -> Iterator[dict[str, Any]]:
    """A row per batch, setting and layout. Raises: InputError where PyTorch is absent, or has not this device."""
    torch, device = opened(context)
    from experiments.benchmarks.peers import with_torch

    layouts = ("", " channels_last") if device != "cpu" else ("",)
    for batch, setting in points:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = setting != "float32"
        own = replace(WORKLOADS[workload], batch=batch)
        for layout in layouts:
            with casting(torch, device, setting):
                runner = with_torch.build(own, form + layout, lambda own=own: images(own))
                times = timed(runner.run, calls, call_seconds, MOST)
            yield {
                "library": "PyTorch",
                "config": workload,
                "variant": form + layout,
                "setting": setting,
                "batch": batch,
                **times,
                "images_per_second": 1e3 * batch / times["step_ms"],
                "peak_bytes": torch.cuda.max_memory_allocated() if device == "cuda" else None,
            }


def opened(context: Context) -> tuple[Any, str]:
    """PyTorch, and the device that it has in common with JAX. Raises: InputError."""
    if importlib.util.find_spec("torch") is None:
        raise InputError("PyTorch is not installed")
    import torch

    if context.platform == "cpu":
        return torch, "cpu"
    if not torch.cuda.is_available():
        raise InputError(f"PyTorch {torch.__version__} is installed, but not for this device")
    torch.set_default_device("cuda")
    return torch, "cuda"


def casting(torch: Any, device: str, setting: str) -> contextlib.AbstractContextManager:
    """PyTorch's way of computing in bfloat16. It keeps no casts, which the next step's weights would not agree with."""
    if SETTINGS[setting]["dtype"] == "bfloat16":
        return torch.autocast(device, torch.bfloat16, cache_enabled=False)
    return contextlib.nullcontext()
