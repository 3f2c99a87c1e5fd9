"""WaveGAN's nets have the authors' shapes; phase shuffle is their padding and cutting."""

import jax
import numpy as np
import pytest
from helpers import config_of

from genjax import tasks
from genjax.errors import InputError
from genjax.nets.wavegan import Critic, Generator, phase_shuffle


def shapes(net, *args):
    variables = jax.eval_shape(net.init, jax.random.key(0), *args)["params"]
    return {f"{layer}/{name}": p.shape for layer, part in variables.items() for name, p in part.items()}


def test_full_size_nets_have_the_shapes_of_the_authors_code():
    """Of their wavegan.py with dim=64 and kernel_len=25, whose kernels have an axis of 1 in another place."""
    generator = shapes(Generator((16_384, 1)), np.zeros((1, 100)))
    up = {f"up_{i}": (2048 // 2 ** (i + 1), 2048 // 2 ** (i + 2)) for i in range(4)} | {"up_4": (64, 1)}
    expected = {"project/kernel": (100, 16_384), "project/bias": (16_384,)}
    for name, (inputs, outputs) in up.items():
        expected |= {f"{name}/kernel": (25, 1, outputs, inputs), f"{name}/bias": (outputs,)}
    assert generator == expected
    critic = shapes(Critic(), np.zeros((1, 16_384, 1)))
    expected = {"head/kernel": (16_384, 1), "head/bias": (1,)}
    for i, (inputs, outputs) in enumerate([(1, 64), (64, 128), (128, 256), (256, 512), (512, 1024)]):
        expected |= {f"down_{i}/kernel": (25, 1, inputs, outputs), f"down_{i}/bias": (outputs,)}
    assert critic == expected
    assert "filter/kernel" in shapes(Generator((1024, 1), filter=512), np.zeros((1, 100)))
    out = jax.eval_shape(lambda z: Generator((16_384, 1)).init_with_output(jax.random.key(0), z)[0], np.zeros((3, 100)))
    assert out.shape == (3, 16_384, 1)


def test_latents_reach_the_first_layer_uniform_on_minus_one_to_one():
    z = jax.random.normal(jax.random.key(0), (20_000,))
    u = np.sort(np.asarray(jax.scipy.special.erf(z / np.sqrt(2.0))))
    assert np.abs(u - np.linspace(-1, 1, len(u))).max() < 2 * 1.95 / np.sqrt(len(u))  # Kolmogorov and Smirnov, 0.1 %


def test_phase_shuffle_pads_by_reflection_and_cuts():
    x = np.random.default_rng(0).normal(size=(2, 7, 3)).astype(np.float32)
    shuffle = jax.jit(phase_shuffle, static_argnums=2)
    seen = set()
    for seed in range(40):
        key = jax.random.key(seed)
        shift = int(jax.random.randint(key, (), -2, 3))
        left, right = max(shift, 0), max(-shift, 0)
        padded = np.pad(x, ((0, 0), (left, right), (0, 0)), "reflect")
        np.testing.assert_array_equal(shuffle(x, key, 2), padded[:, right : right + 7])
        seen.add(shift)
    assert seen == {-2, -1, 0, 1, 2}
    with pytest.raises(InputError, match=r"critic.shuffle=7"):
        phase_shuffle(x, jax.random.key(0), 7)


def test_lengths_that_strides_do_not_divide_are_refused():
    def build():
        return jax.eval_shape(tasks.build(config_of("wavegan"), (250, 1)).init, jax.random.key(0))

    with pytest.raises(InputError, match=r"a multiple of 64 steps, not .250, 1.: set data.size, such as 256"):
        build()
