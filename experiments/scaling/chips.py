"""Accelerators that programs are compiled for without having them: names, published rates, and their compilers.

Rates are the makers', of dense products: TPUs from cloud.google.com/tpu/docs/system-architecture-tpu-vm, NVIDIA's from
the data sheets of the SXM modules. TPUs multiply float32 in passes of bfloat16: one by default, six at "highest".
"""

import os
import re
from dataclasses import dataclass
from math import prod
from typing import Any

from jax.experimental import topologies

from genjax.errors import InputError, did_you_mean

GIB = 2**30


@dataclass(frozen=True)
class Chip:
    """A device as its compiler knows it, and what its maker states of it."""

    platform: str  # of `genjax.ops.backend`
    memory: float  # bytes that a program can have
    bfloat16: float  # operations per second of products in bfloat16
    float32: float  # the same of products of float32 as XLA computes them by default
    bandwidth: float  # bytes per second between memory and chip
    highest: float = 0.0  # as `float32`, of products that are as exact as float32; 0: six passes of bfloat16

    def rate(self, setting: str) -> float:
        """Operations per second in "bfloat16", in float32 by "default", or in "float32" to all its digits."""
        exact = self.highest or self.bfloat16 / 6
        return {"bfloat16": self.bfloat16, "default": self.float32, "float32": exact}[setting]


CHIPS = {
    "v4": Chip("tpu", 31.25 * GIB, 275e12, 275e12, 1228e9),
    "v5e": Chip("tpu", 15.75 * GIB, 197e12, 197e12, 819e9),
    "v5p": Chip("tpu", 95.74 * GIB, 459e12, 459e12, 2765e9),
    "v6e": Chip("tpu", 31.25 * GIB, 918e12, 918e12, 1640e9),
    "h100": Chip("gpu", 0.95 * 84942979072, 989e12, 494e12, 3352e9, 67e12),
}
"""By name. TPUs' memory is what libtpu leaves to programs; of a GPU's, XLA is given 95% here (75% by default)."""

OTHERS = {
    "a100": Chip("gpu", 0.95 * 80e9, 312e12, 156e12, 2039e9, 19.5e12),
    "h200": Chip("gpu", 0.95 * 141e9, 989e12, 494e12, 4800e9, 67e12),
}
"""Chips that programs are not compiled for without having them."""

KINDS = {
    r"TPU v4": "v4",
    r"TPU v5 ?(lite|e)": "v5e",
    r"TPU v5p?": "v5p",
    r"TPU v6 ?(lite|e)": "v6e",
    r"NVIDIA A100-SXM4-80GB": "a100",
    r"NVIDIA H100 80GB HBM3": "h100",
    r"NVIDIA H200": "h200",
}
"""Names by patterns of what JAX calls the device (`Device.device_kind`)."""

EXTRAS = {"tpu": "compile-tpu", "cuda": "compile-gpu"}


def of_kind(device_kind: str) -> Chip | None:
    """The chip of a JAX device by its `device_kind`; None where its rates are not known here."""
    names = [name for pattern, name in KINDS.items() if re.fullmatch(pattern, device_kind)]
    return {**CHIPS, **OTHERS}[names[0]] if names else None


@dataclass(frozen=True)
class Target:
    """Some devices of a kind, absent from this machine."""

    name: str
    chip: Chip
    devices: tuple[Any, ...]


def parsed(text: str) -> tuple[str, Chip, int]:
    """The name, the kind and the number of the devices of a text such as "v5e:2x4" or "h100:8".

    Raises: InputError for other texts.
    """
    name, _, form = text.partition(":")
    if name not in CHIPS:
        raise InputError(f"--for={text}: no chip {name!r}{did_you_mean(name, CHIPS)}; choose from {', '.join(CHIPS)}")
    chip = CHIPS[name]
    number = r"\d+(x\d+){1,2}" if chip.platform == "tpu" else r"\d+"
    if not re.fullmatch(number, form):
        example = f"{name}:2x4, chips in a grid" if chip.platform == "tpu" else f"{name}:8, a number of chips"
        raise InputError(f"--for={text}: expected a form such as {example}")
    return name, chip, prod(map(int, form.split("x")))


def target(text: str) -> Target:
    """The devices of a text such as "v5e:2x4" or "h100:8".

    Raises: InputError for other texts, and where their compiler is not installed.
    """
    name, chip, _ = parsed(text)
    topology = (_tpus if chip.platform == "tpu" else _gpus)(name, text.partition(":")[2])
    return Target(text, chip, tuple(topology.devices))


def _tpus(name: str, form: str):
    """The topology of libtpu, whose questions to the cloud's metadata server are answered beforehand."""
    os.environ.setdefault("ALLOW_MULTIPLE_LIBTPU_LOAD", "1")  # no chip is used, so processes need not take turns
    os.environ.setdefault("TPU_SKIP_MDS_QUERY", "1")
    os.environ.setdefault("TPU_ACCELERATOR_TYPE", "v5litepod-4")
    os.environ.setdefault("TPU_WORKER_HOSTNAMES", "localhost")
    options = {"chips_per_host_bounds": (1, 1, 1)} if set(form.split("x")) == {"1"} else {}
    if name == "v4":
        options["chip_config_name"] = "megacore"
    return _described(platform="tpu", topology_name=f"{name}:{form}", **options)


def _gpus(name: str, form: str):
    """The topology of JAX's CUDA plug-in, for the device that `H100` describes."""
    os.environ.setdefault("JAX_SKIP_CUDA_CONSTRAINTS_CHECK", "1")
    return _described(platform="cuda", target_config=H100, topology=f"1x1x{form}")


def _described(platform: str, **options):
    try:
        return topologies.get_topology_desc(platform=platform, **options)
    except Exception as error:  # of the plug-in's own classes
        reason = " ".join(str(error).split())[:300]
        raise InputError(
            f"programs for {options.get('topology_name', 'cuda')} cannot be compiled here: {reason}; is "
            f"'pip install genjax-models[{EXTRAS[platform]}]' done?"
        ) from error


H100 = """
gpu_device_info {
  threads_per_block_limit: 1024
  threads_per_warp: 32
  shared_memory_per_block: 49152
  shared_memory_per_core: 233472
  threads_per_core_limit: 2048
  core_count: 132
  fpus_per_core: 128
  block_dim_limit_x: 2147483647
  block_dim_limit_y: 65535
  block_dim_limit_z: 65535
  memory_bandwidth: 3352320000000
  l2_cache_size: 52428800
  clock_rate_ghz: 1.98
  device_memory_size: 84942979072
  shared_memory_per_block_optin: 232448
  cuda_compute_capability { major: 9 }
  registers_per_core_limit: 65536
  registers_per_block_limit: 65536
}
platform_name: "CUDA"
dnn_version_info { major: 9 minor: 10 }
runtime_version { major: 12 minor: 8 }
device_description_str: "NVIDIA H100 80GB HBM3"
"""
"""Properties of an H100 SXM, as XLA's compiler takes them (a text of its proto GpuTargetConfig)."""
