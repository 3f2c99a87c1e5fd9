"""SNGAN's residual nets: their size, and their arithmetic written again in PyTorch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import call

from genjax.errors import InputError
from genjax.nets import resnet


def count(net, *args):
    variables = jax.eval_shape(lambda: net.init(jax.random.key(0), *args))
    return sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))


def test_the_nets_have_the_published_number_of_parameters():
    conv = lambda size, into, out: size * size * into * out + out  # noqa: E731
    block = 2 * conv(3, 256, 256) + conv(1, 256, 256) + 2 * 2 * 256
    generator = 128 * 4096 + 4096 + 3 * block + 2 * 256 + conv(3, 256, 3)
    assert count(resnet.Generator((32, 32, 3)), jnp.zeros((1, 128))) == generator == 4_276_739
    first = conv(3, 3, 128) + conv(3, 128, 128) + conv(1, 3, 128)
    others = 6 * conv(3, 128, 128) + conv(1, 128, 128)
    assert count(resnet.Critic(), jnp.zeros((1, 32, 32, 3))) == first + others + 129


def test_a_shape_that_does_not_double_is_refused():
    with pytest.raises(InputError, match=r"divide by 8.*\[28, 28, 1\]"):
        resnet.Generator((28, 28, 1))
    with pytest.raises(InputError, match=r"\[30, 28, 1\]: set data.size, such as 32x28"):
        jax.eval_shape(resnet.Critic().init, jax.random.key(0), jnp.zeros((1, 30, 28, 1)))


torch = pytest.importorskip("torch", reason="the peer is PyTorch: pip install -e '.[bench]'")


def randomized(variables, rng):
    return jax.tree.map(lambda a: jnp.asarray(0.3 * rng.standard_normal(a.shape), jnp.float32), variables)


def conv_of(params, x):
    kernel = torch.tensor(np.array(params["kernel"])).permute(3, 2, 0, 1)
    return torch.nn.functional.conv2d(x, kernel, torch.tensor(np.array(params["bias"])), padding="same")


def nchw(x):
    return torch.tensor(np.array(x)).permute(0, 3, 1, 2)


def test_the_generator_is_that_of_pytorch():
    rng = np.random.default_rng(0)
    net, z = resnet.Generator((16, 8, 3), width=6), rng.standard_normal((5, 7)).astype(np.float32)
    variables = call(net.init, jax.random.key(0), z)
    params = randomized(variables["params"], rng)
    ours, _ = call(net.apply, {**variables, "params": params}, z, train=True, mutable=["batch_stats"])

    def norm(number, x):
        scale, bias = (torch.tensor(np.array(params[f"BatchNorm_{number}"][name])) for name in ("scale", "bias"))
        return torch.relu(torch.nn.functional.batch_norm(x, None, None, scale, bias, training=True, eps=1e-5))

    def up(x):
        return torch.nn.functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)

    dense = z @ np.array(params["Dense_0"]["kernel"]) + np.array(params["Dense_0"]["bias"])
    x = nchw(dense.reshape(5, 2, 1, 6))
    for block in range(3):
        h = conv_of(params[f"Conv_{3 * block}"], up(norm(2 * block, x)))
        h = conv_of(params[f"Conv_{3 * block + 1}"], norm(2 * block + 1, h))
        x = h + conv_of(params[f"Conv_{3 * block + 2}"], up(x))
    x = torch.tanh(conv_of(params["Conv_9"], norm(6, x)))
    np.testing.assert_allclose(ours, x.permute(0, 2, 3, 1).numpy(), atol=2e-4)


@pytest.mark.parametrize("pooling", ["sum", "mean"])
def test_the_critic_is_that_of_pytorch(pooling):
    rng = np.random.default_rng(1)
    net = resnet.Critic(width=5, spectral=False, pooling=pooling)
    x = rng.standard_normal((4, 8, 12, 3)).astype(np.float32)
    params = randomized(call(net.init, jax.random.key(0), x)["params"], rng)
    ours = call(net.apply, {"params": params}, x, train=True)

    def branch(first, x):
        return conv_of(params[f"Conv_{first + 1}"], torch.relu(conv_of(params[f"Conv_{first}"], x)))

    half = lambda x: torch.nn.functional.avg_pool2d(x, 2)  # noqa: E731
    x = nchw(x)
    x = half(branch(0, x)) + conv_of(params["Conv_2"], half(x))
    x = half(branch(3, torch.relu(x))) + half(conv_of(params["Conv_5"], x))
    x = branch(6, torch.relu(x)) + x
    x = branch(8, torch.relu(x)) + x
    h = torch.relu(x).sum((2, 3)) if pooling == "sum" else torch.relu(x).mean((2, 3))
    logits = h.numpy() @ np.array(params["Dense_0"]["kernel"]) + np.array(params["Dense_0"]["bias"])
    np.testing.assert_allclose(ours, logits[:, 0], rtol=2e-4, atol=2e-4)
