"""VGG's maps are those of the same layers in NumPy and in PyTorch, at its borders too."""

import jax
import jax.numpy as jnp
import numpy as np
import numpy_nets
import pytest

from genjax.errors import InputError
from genjax.nets.vgg import VGG, layers, pool, precompute, smallest

NARROW = (2, 3, 4, 5, 6)  # channels; the layers are those of the full width


def drawn(net, seed=0):
    """Variables of which no bias is zero, and that keep the size of what passes through."""
    like = jax.eval_shape(net.init, jax.random.key(0), jnp.zeros((1, 32, 32, 3)))
    rng = np.random.default_rng(seed)

    def draw(path, leaf):
        scale = 0.01 if "color" in jax.tree_util.keystr(path) else (2 / np.prod(leaf.shape[:-1])) ** 0.5
        return (scale * rng.standard_normal(leaf.shape)).astype(np.float32)

    return jax.tree_util.tree_map_with_path(draw, like)


def images(*shape):
    return np.random.default_rng(1).uniform(0, 255, shape).astype(np.float32)


def close(found, expected):
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()  # 1e-6 when it was written


def in_numpy(net, params, x):
    """The maps in float64, written from the paper."""
    params, maps = jax.tree.map(np.float64, params), {}
    x = x @ params["color"]["kernel"] + params["color"]["bias"]
    for name in layers(net.depth, net.last):
        if name.startswith("conv"):
            reflects = net.padding == "reflect"
            x = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect") if reflects else x
            x = numpy_nets.conv(x, params[name]["kernel"], same=not reflects) + params[name]["bias"]
        elif name.startswith("relu"):
            x = np.maximum(x, 0)
        else:
            height, width = (n + n % 2 if net.ceil else n - n % 2 for n in x.shape[1:3])
            x = np.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0)), constant_values=np.nan)[:, :height, :width]
            windows = [x[:, i::2, j::2] for i in (0, 1) for j in (0, 1)]
            x = (np.nanmax if net.pooling == "max" else np.nanmean)(windows, 0)
        maps[name] = x
    return maps


CASES = [  # depth, pooling, padding, ceil, last, height and width
    (19, "max", "reflect", True, "relu5_1", (33, 38)),  # as AdaIN's authors have it, one layer more
    (16, "average", "zeros", False, "pool5", (35, 41)),  # as Gatys has it
    (19, "average", "reflect", True, "pool2", (21, 18)),
    (16, "max", "zeros", False, "pool2", (17, 23)),
]


@pytest.mark.heavy
@pytest.mark.parametrize("case", CASES)
def test_it_is_the_papers(case):
    *fields, size = case
    net = VGG(*fields, widths=NARROW)
    variables, x = drawn(net), images(2, *size, 3)
    maps = jax.jit(net.apply)(variables, x)
    expected = in_numpy(net, variables["params"], x)
    assert sorted(maps) == sorted(expected)
    for name, theirs in expected.items():
        close(maps[name], theirs)


@pytest.mark.heavy
@pytest.mark.parametrize("case", [(*CASES[0][:4], "relu3_1", (17, 18)), (*CASES[1][:4], "relu3_1", (19, 21))])
def test_precomputed_kernels_give_the_same_maps_and_gradient(case):
    *fields, size = case
    net = VGG(*fields, widths=NARROW)
    variables, x = drawn(net), images(2, *size, 3)
    names = layers(net.depth, net.last)
    more = jax.jit(lambda v: precompute(v, names))(variables)
    assert sorted(more["winograd"]) == [name for name in names if name[:4] == "conv" and name[4] > "1"]

    @jax.jit
    def look(variables, x):
        maps, pull = jax.vjp(lambda x: net.apply(variables, x)[net.last], x)
        return maps, *pull(jnp.cos(jnp.arange(maps.size)).reshape(maps.shape))

    for found, expected in zip(look({**variables, **more}, x), look(variables, x), strict=True):
        close(found, expected)


def in_torch(net, params):
    torch = pytest.importorskip("torch", reason="PyTorch is the other implementation")
    nn = torch.nn

    def conv(size, name, **options):
        kernel, bias = (torch.tensor(np.asarray(params[name][part])) for part in ("kernel", "bias"))
        kernel = kernel.reshape(size, size, *kernel.shape[-2:]).permute(3, 2, 0, 1)
        layer = nn.Conv2d(*kernel.shape[1::-1], size, **options)
        layer.weight.data, layer.bias.data = kernel.contiguous(), bias
        return layer

    kinds = {
        "conv": lambda name: conv(3, name, padding=1, padding_mode=net.padding),
        "relu": lambda name: nn.ReLU(),
        "pool": lambda name: (nn.MaxPool2d if net.pooling == "max" else nn.AvgPool2d)(2, ceil_mode=net.ceil),
    }
    return nn.Sequential(conv(1, "color"), *(kinds[name[:4]](name) for name in layers(net.depth, net.last)))


@pytest.mark.parametrize("case", CASES)
def test_it_is_pytorchs_sequence_of_the_same_layers(case):
    *fields, size = case
    net = VGG(*fields, widths=NARROW)
    variables, x = drawn(net), images(2, *size, 3)
    sequence = in_torch(net, variables["params"])
    maps = jax.jit(net.apply)(variables, x)
    import torch

    with torch.inference_mode():
        theirs = sequence[0](torch.tensor(x).permute(0, 3, 1, 2))
        for layer, name in zip(sequence[1:], layers(net.depth, net.last), strict=True):
            theirs = layer(theirs)
            close(maps[name], theirs.permute(0, 2, 3, 1).numpy())


def test_its_gradient_is_pytorchs():
    net = VGG(19, "average", "reflect", True, "relu3_1", NARROW)
    variables, x = drawn(net), images(1, 11, 13, 3)
    sequence = in_torch(net, variables["params"])
    ours = jax.jit(jax.grad(lambda x: jnp.square(net.apply(variables, x)["relu3_1"]).sum()))(x)
    import torch

    theirs = torch.tensor(x).permute(0, 3, 1, 2).requires_grad_()
    sequence(theirs).square().sum().backward()
    close(ours, theirs.grad.permute(0, 2, 3, 1).numpy())


def test_it_has_the_papers_parameters():
    # 14,714,688 and 20,024,384 as Keras' summaries of VGG16 and VGG19 without the classifier have it, and the colors
    for depth, count in ((16, 14_714_688), (19, 20_024_384)):
        like = jax.eval_shape(VGG(depth).init, jax.random.key(0), jnp.zeros((1, 32, 32, 3)))
        assert sum(leaf.size for leaf in jax.tree.leaves(like)) == count + 12


@pytest.mark.heavy
def test_a_last_odd_row_is_dropped_or_pooled():
    x = jnp.zeros((1, 225, 224, 1))
    for ceil, sizes in ((False, [112, 56, 28, 14, 7]), (True, [113, 57, 29, 15, 8])):
        net = VGG(16, ceil=ceil)
        maps, _ = jax.eval_shape(net.init_with_output, jax.random.key(0), x)
        assert [maps[f"pool{n}"].shape[1] for n in range(1, 6)] == sizes
        assert maps["pool5"].shape[2:] == (7, 512)


@pytest.mark.heavy
def test_a_window_that_the_border_cuts_is_pooled_over_what_is_in_it():
    x = jnp.arange(9.0).reshape(1, 3, 3, 1)
    assert pool(x, "max", True)[0, ..., 0].tolist() == [[4, 5], [7, 8]]
    assert pool(x, "average", True)[0, ..., 0].tolist() == [[2, 3.5], [6.5, 8]]
    assert pool(x, "max", False).tolist() == [[[[4]]]]
    assert pool(x, "average", False).tolist() == [[[[2]]]]
    slope = jax.grad(lambda x: pool(x, "average", True).sum())(x)[0, ..., 0]
    assert slope.tolist() == [[0.25, 0.25, 0.5], [0.25, 0.25, 0.5], [0.5, 0.5, 1]]
    slope = jax.grad(lambda x: pool(x, "max", True).sum())(x)[0, ..., 0]
    assert slope.tolist() == [[0, 0, 0], [0, 1, 1], [0, 1, 1]]


@pytest.mark.heavy
def test_the_border_is_zero_after_the_colors():
    net = VGG(last="conv1_1", widths=(1, 1, 1, 1, 1))
    params = {
        "color": {"kernel": jnp.eye(3) / 10, "bias": jnp.full(3, -5.0)},
        "conv1_1": {"kernel": jnp.ones((3, 3, 3, 1)), "bias": jnp.zeros(1)},
    }
    y = net.apply({"params": params}, jnp.full((1, 4, 4, 3), 90.0))["conv1_1"][0, ..., 0]
    assert y[0, 0] == 4 * 3 * 4  # pixels in the window, channels, 90 / 10 - 5
    assert y[1, 1] == 9 * 3 * 4


@pytest.mark.heavy
def test_a_gray_image_has_three_equal_channels():
    net = VGG(16, last="relu2_1", widths=NARROW)
    variables, x = drawn(net), images(1, 9, 8, 1)
    gray, colored = (net.apply(variables, x)["relu2_1"] for x in (x, x.repeat(3, 3)))
    close(gray, colored)


def test_nothing_is_made_after_the_last_layer():
    net = VGG(last="relu4_1", widths=NARROW)
    maps, variables = jax.eval_shape(net.init_with_output, jax.random.key(0), jnp.zeros((1, 8, 8, 3)))
    assert maps.keys() == set(layers(19)[: layers(19).index("relu4_1") + 1])
    assert [name for name in variables["params"] if name.startswith("conv")][-1] == "conv4_1"
    assert maps["relu4_1"].shape == (1, 1, 1, 5)


def test_an_unknown_layer_is_answered_with_the_right_ones():
    with pytest.raises(InputError, match=r"VGG19 has no layer 'relu41' \(did you mean 'relu4_1'\?\); it has conv1_1,"):
        layers(19, "relu41")
    with pytest.raises(InputError, match=r"VGG16 has no layer 'conv3_4'.*, relu5_3, pool5"):
        VGG(16, last="conv3_4").init(jax.random.key(0), jnp.zeros((1, 32, 32, 3)))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"depth": 17}, "VGG's depth: got 17, expected 16 or 19"),
        ({"pooling": "mean"}, "VGG's pooling: no 'mean'; choose from 'max', 'average'"),
        ({"padding": "reflection"}, r"no 'reflection' \(did you mean 'reflect'\?\); choose from 'zeros', 'reflect'"),
    ],
)
def test_an_unknown_choice_is_refused(fields, message):
    with pytest.raises(InputError, match=message):
        VGG(**fields).init(jax.random.key(0), jnp.zeros((1, 32, 32, 3)))


def test_images_of_other_channels_are_refused():
    with pytest.raises(InputError, match="3 channels, or 1 if they are gray, got 4"):
        VGG().init(jax.random.key(0), jnp.zeros((1, 32, 32, 4)))


@pytest.mark.heavy
@pytest.mark.parametrize("padding", ["zeros", "reflect"])
@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize("last", ["relu1_1", "relu4_1", "pool5"])
def test_images_too_small_to_pool_are_refused(padding, ceil, last):
    net = VGG(19, "max", padding, ceil, last, NARROW)
    least = smallest(19, last, padding, ceil)
    look = lambda side: jax.eval_shape(net.init_with_output, jax.random.key(0), jnp.zeros((1, side, 40, 3)))[0]  # noqa: E731
    assert min(look(least)[last].shape) > 0
    assert least == 1 or min(in_jax(net, least - 1)) < 1 + (padding == "reflect")
    with pytest.raises(InputError, match=rf"up to {last} needs images of {least} x {least} or more, got \[0, 40\]"):
        look(0)


def in_jax(net, side):
    """The heights of the maps that convolutions and poolings meet, of an image of this one, and of the last map."""
    for name in layers(net.depth, net.last):
        if not name.startswith("relu"):
            yield side
        if name.startswith("pool"):
            side = (side + net.ceil) // 2
    yield side
