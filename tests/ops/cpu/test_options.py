"""Options of XLA's CPU compiler: this XLA takes ours, and unknown ones are left out."""

from genjax.ops.cpu import options


def test_this_xla_takes_every_option():
    assert options.known() == options.OPTIONS
    assert options.known(options.ONCE) == options.ONCE


def test_an_option_or_a_value_that_xla_does_not_take_is_left_out():
    unknown = {"xla_cpu_no_such_option": 1, "xla_cpu_experimental_ynn_fusion_type": "no such value"}
    assert options.known(options.OPTIONS | unknown) == {"xla_cpu_prefer_vector_width": 512}
