"""The U-Net against NumPy, and the patches that a PatchGAN's logits see."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import call
from numpy_nets import conv, drawn, leaky_relu

from genjax.errors import InputError
from genjax.nets.patchgan import PatchGAN
from genjax.nets.unet import Noise, UNet


def halved(x, p):
    """A 4x4 convolution of stride 2, one zero around x."""
    x = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return conv(x, p["kernel"], 2, same=False) + p.get("bias", 0)


def doubled(x, p):
    """Its transposed one: every pixel adds its multiple of the kernel, which is stored [h, w, out, in]."""
    batch, height, width, _ = x.shape
    y = np.zeros((batch, 2 * height + 2, 2 * width + 2, p["kernel"].shape[2]))
    for row in range(height):
        for column in range(width):
            y[:, 2 * row : 2 * row + 4, 2 * column : 2 * column + 4] += np.einsum(
                "bi,hwoi->bhwo", x[:, row, column], p["kernel"]
            )
    return y[:, 1:-1, 1:-1] + p.get("bias", 0)


def normed(x, p):
    """Mean 0 and variance 1 over an image, then the scale and the bias."""
    z = (x - x.mean((1, 2), keepdims=True)) / np.sqrt(x.var((1, 2), keepdims=True) + 1e-5)
    return z * (1 + p["scale"]) + p["bias"]


@pytest.mark.parametrize("skips", [True, False])
def test_the_u_net_is_that_of_the_paper(skips):
    net = UNet(2, (3, 4, 5), skips, dropout=0.0)
    x = np.random.default_rng(0).normal(size=(2, 16, 8, 3))
    with jax.enable_x64(True):
        variables, p = drawn(net, jnp.asarray(x))
        found = call(net.apply, variables, jnp.asarray(x))
    first = halved(x, p["Conv_0"])
    second = normed(halved(leaky_relu(first), p["Conv_1"]), p["InstanceNorm_0"])
    third = halved(leaky_relu(second), p["Conv_2"])  # the smallest is not normalized
    y = normed(doubled(np.maximum(third, 0), p["ConvTranspose_0"]), p["InstanceNorm_1"])
    y = np.concatenate([y, second], -1) if skips else y
    y = normed(doubled(np.maximum(y, 0), p["ConvTranspose_1"]), p["InstanceNorm_2"])
    y = np.concatenate([y, first], -1) if skips else y
    expected = np.tanh(doubled(np.maximum(y, 0), p["ConvTranspose_2"]))
    assert found.shape == (2, 16, 8, 2)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_noise_is_of_each_example_in_training_and_one_for_all_in_use():
    x, rngs = jnp.ones((3, 8, 8, 4)), {"dropout": jax.random.key(1)}
    training, use = (np.asarray(Noise(0.5).apply({}, x, train, rngs=rngs)) for train in (True, False))
    assert set(np.unique(training)) == set(np.unique(use)) == {0, 2}
    assert (training[0] != training[1]).any()
    assert (use == use[:1]).all()
    assert 0.3 < (use[0] > 0).mean() < 0.7


@pytest.mark.parametrize(
    ("channels", "kernel", "side", "image"),
    [((2, 2), 1, 1, 8), ((2, 2), 4, 16, 32), ((2, 2, 2, 2), 4, 70, 96), ((2,) * 6, 4, 286, 96)],
)
def test_a_logit_sees_its_patch(channels, kernel, side, image):
    """By the gradient of a logit in the middle: 1, 16 and 70 pixels on a side, and the whole of a smaller image."""
    net = PatchGAN(channels, kernel, norm="none")
    assert net.receptive_field == side
    x = jax.random.normal(jax.random.key(0), (1, image, image, 3))
    variables = drawn(net, x, dtype=np.float32)[0]

    def logit(x):
        logits = call(net.apply, variables, x)
        return logits[0, logits.shape[1] // 2, logits.shape[2] // 2]

    reached = np.abs(np.asarray(jax.grad(logit)(x))[0]).sum(-1) > 0
    rows, columns = (np.flatnonzero(reached.any(axis)) for axis in (1, 0))
    assert len(rows) == len(columns) == np.ptp(rows) + 1 == min(side, image)


def test_a_patchgan_that_leaves_no_logit_is_refused():
    net = PatchGAN((4, 4, 4, 4))
    shapes = [jax.eval_shape(net.init_with_output, jax.random.key(0), jnp.zeros((1, n, n, 1)))[0] for n in (24, 32)]
    assert [s.shape for s in shapes] == [(1, 1, 1), (1, 2, 2)]
    net.check_size(24, 32)
    with pytest.raises(InputError, match="images of 8 pixels on the shorter side are too small"):
        net.check_size(8, 64)
