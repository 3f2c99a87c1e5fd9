"""The encoders of style transfer."""

import jax
import numpy as np
import pytest

from genjax.errors import InputError
from genjax.weights import encoders


@pytest.mark.heavy
@pytest.mark.parametrize("side", [24, 40])
def test_maps_of_squeezenet_come_to_a_quarter_and_an_eighth_of_the_side(side):
    encoder = encoders.load("squeezenet")
    look = lambda x: encoder.apply(encoder.variables, x, encoder.layers)  # noqa: E731
    maps = jax.eval_shape(look, jax.ShapeDtypeStruct((1, side, side + 8, 3), np.float32))
    for name, stride, more in (("conv1", 2, 1), ("fire2", 4, 0), ("fire3", 4, 0), ("fire4", 8, 0)):
        assert maps[name].shape[1:3] == (side // stride + more, (side + 8) // stride + more), name
    used = {*encoder.gatys_content, *encoder.gatys_style, *encoder.adain_style, encoder.adain_layer}
    assert used <= set(encoder.layers)


@pytest.mark.heavy
def test_maps_are_aligned_with_the_image():
    """A spot in a block of 4 x 4 moves the map most at the block's place."""
    encoder = encoders.load("squeezenet")
    x = np.full((1, 64, 64, 3), 128, np.float32)
    spot = x.copy()
    spot[:, 32:36, 16:20] = 255
    look = jax.jit(lambda x: encoder.apply(encoder.variables, x, ("pool1",))["pool1"])
    maps = [np.asarray(look(a)) for a in (x, spot)]
    moved = np.abs(maps[1] - maps[0]).sum((0, 3))
    assert np.unravel_index(moved.argmax(), moved.shape) == (8, 4)


def test_an_unknown_layer_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"content.layers: no 'fire33' \(did you mean 'fire3'\?\).*conv1, pool1"):
        encoders.load("squeezenet").check(("fire33",), "content.layers")
    with pytest.raises(InputError, match="expected at least one of conv1"):
        encoders.load("squeezenet").check((), "content.layers")
