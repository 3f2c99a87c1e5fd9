"""The device, and the software that drives it."""

import os
import platform
import subprocess
from collections.abc import Iterator
from importlib import metadata
from typing import Any

import jax

from experiments.benchmarks.accelerator.parts import Context
from experiments.benchmarks.accelerator.program import memory_of
from experiments.benchmarks.step_time import facts as machine
from experiments.scaling.chips import of_kind
from genjax import __version__

PACKAGES = ("jax", "jaxlib", "flax", "optax", "numpy", "orbax-checkpoint", "torch")
PLUGINS = ("jax-cuda13-plugin", "jax-cuda12-plugin", "jax-rocm7-plugin", "libtpu")
QUERY = ("driver_version", "memory.total", "power.limit", "clocks.max.sm")


def facts(context: Context) -> Iterator[dict[str, Any]]:
    """One row: platform, kind and number of devices, memory, driver, versions, flags, machine."""
    device = jax.devices()[0]
    chip = of_kind(device.device_kind)
    yield {
        "platform": jax.default_backend(),
        "kind": device.device_kind,
        "devices": jax.device_count(),
        "memory_limit": memory_of(device).get("bytes_limit"),
        "published": chip and {"bfloat16": chip.bfloat16, "default": chip.float32, "float32": chip.highest},
        "driver": driver(),
        "runtime": str(getattr(device.client, "platform_version", "")).strip(),
        "versions": versions(),
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
        "jax_variables": {name: value for name, value in sorted(os.environ.items()) if name.startswith("JAX_")},
        "machine": machine(),
    }


def versions() -> dict[str, str]:
    """The versions of the packages that are installed."""
    versions = {"python": platform.python_version(), "genjax-models": __version__}
    for name in (*PACKAGES, *PLUGINS):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def driver() -> str:
    """The answer of nvidia-smi on the first device, or ""."""
    command = ["nvidia-smi", f"--query-gpu={','.join(QUERY)}", "--format=csv,noheader"]
    try:
        out = subprocess.run(command, capture_output=True, timeout=20, text=True, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
    return ", ".join(
        f"{name} {value.strip()}" for name, value in zip(QUERY, out.splitlines()[0].split(","), strict=False)
    )
