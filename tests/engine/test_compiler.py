"""What XLA is asked for: options that it knows, of its CPU backend alone."""

import jax

from genjax.engine import compiler


def test_this_xla_knows_every_option():
    assert compiler.options() == (compiler.CPU if jax.default_backend() == "cpu" else {})


def test_an_option_or_value_that_xla_does_not_know_is_left_out(monkeypatch):
    unknown = {"xla_cpu_no_such_option": 1, "xla_cpu_experimental_ynn_fusion_type": "no such value"}
    monkeypatch.setattr(compiler, "CPU", compiler.CPU | unknown)
    assert compiler.options.__wrapped__() == {"xla_cpu_prefer_vector_width": 512}


def test_other_backends_are_asked_for_nothing(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert compiler.options.__wrapped__() == {}
