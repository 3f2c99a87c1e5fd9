"""The backend is asked for in one place."""

from pathlib import Path

import jax

import genjax
from genjax.ops import backend

PACKAGE = Path(genjax.__file__).parent


def test_the_target_is_jaxs_default_backend(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert backend.target() == "gpu"
    assert not backend.on_cpu()


def test_only_protocols_and_one_module_ask_for_the_backend():
    """Protocols of evaluations name it; programs depend on it by `ops.backend` alone."""
    files = {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if "default_backend" in path.read_text()}
    assert files == {"ops/backend.py", "evaluation/protocol.py", "evaluation/features.py"}
