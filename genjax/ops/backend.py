"""The backend that programs are written for. Nothing else asks for it."""

import jax


def target() -> str:
    """The platform that traced programs are compiled for: "cpu", "gpu" or "tpu"."""
    return jax.default_backend()


def on_cpu() -> bool:
    """Whether the forms of `genjax.ops.cpu` are used; elsewhere it is the plain ones."""
    return target() == "cpu"
