"""StyleGAN's generator: its size, its arithmetic written again in NumPy, how it grows, and what is random."""

from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import numpy_nets
import pytest
from helpers import call
from numpy_nets import conv, drawn, leaky_relu, upfirdn

from genjax.errors import InputError
from genjax.nets.stylegan import Generator, layer_noise

NET = Generator((8, 8, 3), channels=(6, 4), width=8, layers=1)
Z = np.random.default_rng(0).normal(size=(4, 7)).astype(np.float32)
VARIABLES, _ = drawn(NET, Z, dtype=np.float32)
KEY = jax.random.key(1)
WS = np.random.default_rng(1).normal(size=(4, 4, 8)).astype(np.float32)


@partial(jax.jit, static_argnames=("stage", "noise"))
def synthesize(variables, ws, stage=None, alpha=None, key=None, noise=None):
    return NET.apply(variables, ws, stage, alpha, noise if key is None else key, method="synthesize")


@partial(jax.jit, static_argnames="stage")
def train(variables, z, key, stage=None):
    return NET.apply(variables, z, train=True, stage=stage, rngs={"noise": key}, mutable=["average"])


def enlarged(x, side):
    return np.asarray(x).repeat(side // x.shape[1], 1).repeat(side // x.shape[2], 2)


@pytest.mark.heavy
def test_the_generator_of_faces_has_the_published_number_of_parameters():
    """26.2 million (section 2); its authors' code prints 26,219,627 for 1024 pixels. Constants are not counted."""
    channels = (512, 512, 512, 512, 256, 128, 64, 32, 16)
    variables = jax.eval_shape(Generator((1024, 1024, 3)).init, jax.random.key(0), jnp.zeros((1, 512)))
    mapping = 8 * (512 * 512 + 512)
    after = lambda n: n + n + 512 * 2 * n + 2 * n  # noqa: E731  noise's scales, biases, the style's matrix and biases
    first = 4 * 4 * 512 + after(512) + 9 * 512 * 512 + after(512)
    others = sum(9 * m * n + 9 * n * n + 2 * after(n) for m, n in pairwise(channels))
    colors = sum(3 * n + 3 for n in channels)
    count = sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))
    assert count == mapping + first + others + colors == 26_219_627


def numpy_images(params, ws, net, stages):
    """Section 2 and figure 1b, a stage after the other."""
    first = net.channels[0]
    if net.constant_input:
        x = np.broadcast_to(params["constant"], (len(ws), 4, 4, first))
    else:
        p = params["dense"]
        x = (ws[:, 0] @ p["kernel"] * (np.sqrt(2) / 4 / np.sqrt(8)) + p["bias"]).reshape(-1, 4, 4, first)
    for i in range(2 * stages):
        p = params[f"convs_{i}"]
        if i > 0:
            doubles = i % 2 == 0
            kernel = p["Conv_0"]["kernel"]
            x = conv(enlarged(x, 2 * x.shape[1]) if doubles else x, kernel * np.sqrt(2 / (9 * kernel.shape[2])))
            x = upfirdn(x, np.array([1, 2, 1]) / 4, pads=(1, 1)) if doubles and net.bilinear else x
        if net.noise:
            x = x + p["noise_scale"] * np.float64(layer_noise(None, i, x))
        x = leaky_relu(x + p["bias"])
        x = (x - x.mean((1, 2), keepdims=True)) / np.sqrt(x.var((1, 2), keepdims=True) + 1e-8)
        style = ws[:, i] @ p["style"]["kernel"] / np.sqrt(8) + p["style"]["bias"]
        scale, offset = style[:, None, None, : x.shape[3]], style[:, None, None, x.shape[3] :]
        x = x * (1 + scale) + offset
        if i % 2:
            p = params[f"to_rgb_{i // 2}"]
            yield conv(x, p["kernel"] / np.sqrt(x.shape[3])) + p["bias"]


@pytest.mark.heavy
def test_the_generator_is_that_of_the_paper_as_it_grows():
    with jax.enable_x64(True):
        net, z = Generator((16, 16, 3), (6, 5, 4), width=8, layers=2), np.float64(Z)
        variables, params = drawn(net, z)
        ws = np.random.default_rng(2).normal(size=(4, 6, 8))  # each layer's own
        images = [enlarged(x, 16) for x in numpy_images(params, ws, net, 3)]
        grown = jax.jit(lambda level: net.apply(variables, ws, level, method="partially_grown"))
        for level, expected in {
            0.0: images[0],
            0.25: 0.75 * images[0] + 0.25 * images[1],
            1.0: images[1],
            1.6: 0.4 * images[1] + 0.6 * images[2],
            2.0: images[2],
        }.items():
            np.testing.assert_allclose(grown(level), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.heavy
@pytest.mark.parametrize("field", ["", "constant_input", "noise", "bilinear"])
def test_the_generator_is_that_of_the_paper_with_each_switch_off(field):
    with jax.enable_x64(True):
        net, z = NET.clone(**({field: False} if field else {})), np.float64(Z)
        variables, params = drawn(net, z)
        w = numpy_nets.mapping(params["mapping"], z)
        *_, expected = numpy_images(params, np.repeat(w[:, None], 4, 1), net, 2)
        np.testing.assert_allclose(jax.jit(net.apply)(variables, z), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.heavy
def test_a_stage_fades_in_from_the_one_before_to_the_bit():
    old, new = synthesize(VARIABLES, WS, 0, key=KEY), synthesize(VARIABLES, WS, 1, key=KEY)
    assert (old.shape, new.shape) == ((4, 4, 4, 3), (4, 8, 8, 3))
    np.testing.assert_array_equal(synthesize(VARIABLES, WS, 1, 0.0, KEY), enlarged(old, 8))
    np.testing.assert_array_equal(synthesize(VARIABLES, WS, 1, 1.0, KEY), new)
    between = 0.7 * enlarged(old, 8) + 0.3 * new
    np.testing.assert_allclose(synthesize(VARIABLES, WS, 1, 0.3, KEY), between, rtol=1e-5, atol=1e-5)


@pytest.mark.heavy
def test_grown_to_a_stage_is_its_image_enlarged():
    grown = jax.jit(lambda level: NET.apply(VARIABLES, WS, level, method="partially_grown"))
    for level, stage, alpha in [(0.0, 0, None), (0.25, 1, 0.25), (1.0, 1, None)]:
        expected = enlarged(synthesize(VARIABLES, WS, stage, alpha), 8)
        np.testing.assert_allclose(grown(level), expected, rtol=1e-5, atol=1e-5)


def test_all_stages_have_weights_whatever_stage_is_made_first():
    shapes = [jax.eval_shape(lambda: NET.init(jax.random.key(0), Z, stage=stage)) for stage in (0, 1, None)]  # noqa: B023
    assert shapes[0] == shapes[1] == shapes[2]
    assert len(VARIABLES["params"]) == 1 + 1 + 4 + 2  # mapping, constant, layers, colors


@pytest.mark.heavy
def test_weights_begin_as_the_paper_says():
    """Appendix C: all N(0, 1), over the multiplier in the mapping; the constant one; biases and noise's scales zero."""
    params = jax.jit(Generator((4, 4, 1), (40,), width=50, layers=1).init)(jax.random.key(0), jnp.ones((1, 50)))[
        "params"
    ]
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        name = jax.tree_util.keystr(path)
        if "kernel" in name:
            std = 100 if "mapping" in name else 1
            np.testing.assert_allclose(leaf.std(), std, rtol=5 / np.sqrt(2 * leaf.size))
        else:
            assert (leaf == ("constant" in name)).all(), name


def test_noise_changes_nothing_where_its_scale_is_zero():
    zero = lambda path, a: 0 * a if "noise_scale" in jax.tree_util.keystr(path) else a  # noqa: E731
    silent = jax.tree_util.tree_map_with_path(zero, VARIABLES)
    constant = synthesize(silent, WS)
    np.testing.assert_allclose(synthesize(silent, WS, key=KEY), constant, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(synthesize(silent, WS, noise=False), constant, rtol=1e-5, atol=1e-5)


def test_noise_is_of_each_example_or_constant_or_none():
    same = np.repeat(WS[:1], 4, 0)
    fresh, constant, none = (synthesize(VARIABLES, same, **how) for how in ({"key": KEY}, {}, {"noise": False}))
    for x in (constant, none):
        np.testing.assert_allclose(x, np.repeat(x[:1], 4, 0), rtol=1e-5, atol=1e-5)
    for x, y in [(fresh[0], fresh[1]), (fresh, constant), (constant, none), (fresh, none)]:
        assert np.abs(x - y).max() > 0.1


def test_layers_have_independent_noise_of_unit_variance():
    maps = jnp.zeros((50, 16, 16, 3))
    for key in (KEY, None):
        draws = np.stack([np.asarray(layer_noise(key, number, maps)).ravel() for number in range(4)])
        assert draws.shape[1] == (256 if key is None else 50 * 256)
        np.testing.assert_allclose(np.cov(draws), np.eye(4), atol=5 * np.sqrt(2 / draws.shape[1]))


@pytest.mark.heavy
@pytest.mark.parametrize("stage", [0, None])
def test_training_mixes_the_styles_of_the_layers_in_use_and_moves_the_average(stage):
    key = call(NET.apply, VARIABLES, rngs={"noise": KEY}, method=lambda m: m.make_rng("noise"))
    k_styles, k_noise = jax.random.split(key)
    method = lambda m: m.mapping.styles_in_training(Z, k_styles, 4, 2 if stage == 0 else 4, 0.9)  # noqa: E731
    ws, expected = call(NET.apply, VARIABLES, method=method, mutable=["average"])
    x, moved = train(VARIABLES, Z, KEY, stage)
    np.testing.assert_allclose(x, synthesize(VARIABLES, ws, stage, key=k_noise), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(moved["average"]["mapping"]["w_avg"], expected["average"]["mapping"]["w_avg"], rtol=1e-5)


@pytest.mark.heavy
def test_an_examples_training_image_does_not_depend_on_the_batchs_size():
    whole, half = (train(VARIABLES, z, KEY)[0] for z in (Z, Z[:2]))
    np.testing.assert_allclose(whole[:2], half, rtol=1e-4, atol=1e-4)
    assert np.abs(train(VARIABLES, Z, jax.random.key(5))[0] - whole).max() > 0.1


@pytest.mark.heavy
def test_outside_training_an_image_is_a_function_of_its_latent():
    generate = jax.jit(NET.apply)
    once = generate(VARIABLES, Z)
    np.testing.assert_allclose(once[:2], generate(VARIABLES, Z[:2]), rtol=1e-4, atol=1e-4)
    ws = call(NET.apply, VARIABLES, call(NET.apply, VARIABLES, Z, method="map"), method="styles")
    np.testing.assert_allclose(once, synthesize(VARIABLES, ws), rtol=1e-4, atol=1e-4)


def test_full_truncation_is_the_image_of_the_average():
    average = np.random.default_rng(3).normal(size=8).astype(np.float32)
    variables = {**VARIABLES, "average": {"mapping": {"w_avg": average}}}
    ws = NET.apply(variables, WS, 0.0, method="truncate")
    expected = synthesize(variables, np.broadcast_to(average, (4, 4, 8)))
    np.testing.assert_array_equal(synthesize(variables, ws), expected)


@pytest.mark.heavy
def test_every_weight_in_use_has_a_finite_slope():
    loss = lambda params: jnp.sum(jnp.sin(train({**VARIABLES, "params": params}, Z, KEY)[0]))  # noqa: E731
    for name, slopes in jax.jit(jax.grad(loss))(VARIABLES["params"]).items():
        leaves = jax.tree.leaves(slopes)
        assert all(np.isfinite(leaf).all() for leaf in leaves)
        assert any(np.any(leaf) for leaf in leaves) == (name != "to_rgb_0"), name


@pytest.mark.parametrize(
    ("shape", "channels", "message"),
    [
        ((30, 30, 1), (8, 8), r"images of 30x30: .*28x28 or 32x32"),
        ((16, 9, 1), (8, 8), r"images of 16x9: .*16x8 or"),
        ((16, 16, 1), (8, 8), r"generator.channels=\(8, 8\): expected 3 numbers"),
    ],
)
def test_what_does_not_fit_is_refused(shape, channels, message):
    with pytest.raises(InputError, match=message):
        Generator(shape, channels)
