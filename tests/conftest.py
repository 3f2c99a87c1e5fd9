"""Settings of the whole suite. Compiled programs are kept, for the other worker and for the next run."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
sys.path.insert(0, str(TESTS))  # for `helpers`
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ["XDG_CACHE_HOME"] = str(TESTS.parent / ".cache")  # what tests keep is not the user's
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(TESTS.parent / ".cache" / "hypothesis"))
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(TESTS.parent / ".cache" / "tests-xla"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
gc.set_threshold(50_000, 20, 20)  # a trace makes many objects that last, which are else looked through again and again

FUSION = "--xla_cpu_use_fusion_emitters=false"
"""XLA's older code generator for fused operations, which compiles in a quarter of the time."""


def _is_known(flag: str) -> bool:
    """Whether this XLA has a flag: it ends the process where it has not."""
    program = [sys.executable, "-c", "import jax; jax.devices()"]
    return subprocess.run(program, env=os.environ | {"XLA_FLAGS": flag}, capture_output=True).returncode == 0


if "XLA_FLAGS" not in os.environ:
    # Tests compile much and run it once: in all their processes, to slower programs in a fraction of the time. With
    # `XLA_FLAGS= pytest ...` they compile as a user's processes do, as `make test` has it for files marked `optimized`.
    os.environ["XLA_FLAGS"] = FUSION if _is_known(FUSION) else ""
    os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"


def pytest_collection_finish():
    """What is imported by now stays, and is no garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def images(tmp_path_factory) -> Path:
    """A folder of 20 gray images: with batches of 8, epochs end within batches."""
    import numpy as np
    from PIL import Image

    folder = tmp_path_factory.mktemp("images")
    for i, x in enumerate(np.random.default_rng(0).integers(0, 256, (20, 28, 28), np.uint8)):
        Image.fromarray(x).save(folder / f"{i:02}.png")
    return folder


@pytest.fixture(scope="module")
def denoiser(tmp_path_factory) -> Path:
    """The folder of a finished run of a denoising autoencoder, never to be changed; compiled as its module is."""
    from helpers import config_of

    from genjax.run.training import train

    path = tmp_path_factory.mktemp("denoiser")
    assert train(config_of("ae_stacked", corruption__name="gaussian", corruption__amount=0.2), path) == 0
    return path


@pytest.fixture(scope="session")
def clothes():
    """Held-out images of Fashion-MNIST and their labels."""
    from helpers import fashion

    source = fashion("test[:20]")
    return source.read(range(20)), source.labels
