"""genjax: autoencoders, GANs and style transfer in JAX, small enough to read and exact enough to publish from."""

import importlib

__version__ = "0.1.0"

__all__ = ["InputError", "TrainedRun", "load", "load_config", "train_run"]  # of genjax.api, imported when they are used


def __getattr__(name: str) -> object:
    """A name of `genjax.api` (PEP 562). No module below genjax has one of these names, which would hide it."""
    if name in __all__:
        return getattr(importlib.import_module("genjax.api"), name)
    raise AttributeError(f"module 'genjax' has no attribute {name!r}")


def __dir__() -> list[str]:
    """The names that are there, and those that are imported when they are used."""
    return sorted({*globals(), *__all__})
