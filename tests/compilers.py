"""Targets of tests that compile for chips that are not here, skipped where their compilers are not installed."""

import importlib.util
import shutil

import pytest

HAS_TPU = bool(importlib.util.find_spec("libtpu"))
HAS_GPU = bool(importlib.util.find_spec("jax_plugins") and shutil.which("ptxas"))

NEEDS_TPU = pytest.mark.skipif(not HAS_TPU, reason="no libtpu")
NEEDS_GPU = pytest.mark.skipif(not HAS_GPU, reason="no CUDA plug-in or ptxas")

TPU = pytest.param("v5e:2x2", marks=NEEDS_TPU)
GPU = pytest.param("h100:2", marks=NEEDS_GPU)
