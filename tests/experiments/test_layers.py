"""Layers compiled for a GPU or TPU that is not here. Skipped where the compilers are not installed."""

import pytest
from compilers import GPU, NEEDS_GPU, NEEDS_TPU

from experiments.scaling import layers
from experiments.scaling.chips import target
from genjax.ops.conv import conv, conv_transpose


def test_calls_and_traffic_are_read_from_a_module():
    text = """HloModule m

ENTRY %main (a: f32[8,4,4,2], k: f32[3,3,2,2]) -> f32[8,4,4,2] {
  %a = f32[8,4,4,2]{3,2,1,0} parameter(0)
  %k = f32[3,3,2,2]{3,2,1,0} parameter(1)
  %f = f32[8,4,4,2]{3,2,1,0} fusion(%a), kind=kLoop, calls=%c
  %d = (f32[8,4,4,2]{3,2,1,0}, u8[0]{0}) custom-call(%f, %k), window={size=3x3 stride=2x2}, a="__cudnn$convForward"
  ROOT %g = f32[8,4,4,2]{3,2,1,0} get-tuple-element(%d), index=0
}
"""
    assert list(layers.calls(text)) == ["Forward 3x3 stride 2"]
    size = 8 * 4 * 4 * 2
    assert layers.traffic(text, 2 * size) == (2, (4 * size + 36) / (2 * size))


@pytest.mark.heavy
@pytest.mark.parametrize("goal", [GPU])
def test_every_derivative_of_a_convolution_is_a_call_with_its_own_window(goal):
    """Autodiff's kernel gradient of a transposed convolution is a convolution whose window is the whole map."""
    name = "DCGAN's generator, transposed 5x5, stride 2"
    layer = layers.convolutions(conv, conv_transpose)[name]
    plain = layers.convolutions(layers.autodiff_conv, layers.autodiff_transpose)[name]
    what = "weights' gradient"
    for derivative, function in layers.derivatives(layer).items():
        calls = layers.compiled(layer, function, target(goal)).calls
        assert calls, derivative
        assert all(call.endswith("5x5 stride 2") for call in calls), (derivative, calls)
    assert layers.compiled(plain, layers.derivatives(plain)[what], target(goal)).calls == ("Forward 27x27",)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("goal", "most"), [pytest.param("h100:1", 1.1, marks=NEEDS_GPU), pytest.param("v5e:1x1", 3.0, marks=NEEDS_TPU)]
)
def test_a_filter_passes_seldom_over_its_map(goal, most):
    layer = layers.OTHERS["filter, halving"]
    for function in layers.derivatives(layer).values():
        assert layers.compiled(layer, function, target(goal)).passes <= most
