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


def test_one_module_asks_for_the_backend():
    """Protocols of evaluations name the backend as well; programs depend on it by `ops.backend` alone."""
    files = {path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py") if "default_backend" in path.read_text()}
    assert {str(path) for path in files if path.parts[0] != "evaluation"} == {"ops/backend.py"}


def test_programs_are_written_for_another_platform_for_a_while():
    here = backend.target()
    with backend.writing_for("any"):
        assert not backend.on_cpu()
        assert not backend.slices_windows()
        assert backend.pads()
        with backend.writing_for("onnx"):
            assert backend.target() == "onnx"
            assert backend.slices_windows()
            assert not backend.pads()
    assert backend.target() == here
