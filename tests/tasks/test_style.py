"""Gatys' transfer: its targets, its descent, and the settings and images that it refuses."""

import jax
import numpy as np
import pytest
from helpers import call
from ml_collections import ConfigDict
from PIL import Image

from genjax import data, tasks
from genjax.engine import loop
from genjax.errors import InputError
from genjax.losses.style import gram
from genjax.nets import vgg as vgg_net
from genjax.nets.vgg import VGG
from genjax.ops.chroma import luma
from genjax.ops.pixels import to_float, to_pixels
from genjax.run.fit import fit
from genjax.tasks import style
from genjax.weights import encoders, vgg

pytestmark = pytest.mark.heavy

SIDE = 24


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A smooth content, a style of stripes, another of noise, and two halves as masks."""
    folder, rng = tmp_path_factory.mktemp("style"), np.random.default_rng(0)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    stripes = np.where((np.arange(40) // 4 % 2)[:, None], 220, 30) * np.ones((40, 32))
    left = np.arange(SIDE)[None] < SIDE // 2
    found = {
        "content": np.stack([255 * x, 255 * y, 255 * (1 - x)], -1),
        "stripes": np.stack([stripes, stripes // 2, 255 - stripes], -1),
        "noise": rng.integers(0, 256, (32, 32, 3)),
        "left": np.where(left, 255, 0) * np.ones((SIDE, 1)),
        "right": np.where(left, 0, 255) * np.ones((SIDE, 1)),
    }
    found["halves"] = np.where(left[..., None], found["stripes"][:SIDE, :SIDE], found["noise"][:SIDE, :SIDE])
    for name, pixels in found.items():
        Image.fromarray(np.uint8(pixels)).save(folder / f"{name}.png")
    return folder


def config(images, *styles, **overrides):
    c = style.config()
    c.data.name, c.data.size, c.steps = f"image:{images}/content.png", "", 6
    c.style.images = tuple(f"{images}/{name}.png" for name in styles or ["stripes"])
    c.style.layers, c.content.layers = ("conv1", "fire2"), ("fire3",)
    c.update_from_flattened_dict({key.replace("__", "."): value for key, value in overrides.items()})
    return c


def ended(c):
    """The task, the last state, and the rows of metrics."""
    source = data.load(c.data)
    task, rows = tasks.build(c, source.shape), {}
    for chunk in fit(task, source, c.seed, (3,)):
        for name, values in chunk.metrics.items():
            rows.setdefault(name, []).extend(values.tolist())
    return task, chunk.state, rows


def pixels(path):
    return np.asarray(Image.open(path).convert("RGB"))


def targets(c, number=0):
    """The targets of a phase, from an untrained state."""
    task = tasks.build(c, data.load(c.data).shape)
    phase = task.phases[number]
    return jax.jit(phase.prepare)(jax.jit(task.init)(jax.random.key(0)), **phase.inputs())["targets"]


def test_targets_are_the_contents_maps_and_the_styles_gram_matrices(images):
    """The style as large as the content: 40 x 32 pixels become 24 x 19."""
    found, encoder = targets(config(images)), encoders.load("squeezenet")
    look = jax.jit(encoder.apply, static_argnums=2)
    maps = look(encoder.variables, np.float32(pixels(images / "content.png"))[None], ("fire3",))
    np.testing.assert_allclose(found.content["fire3"], maps["fire3"], rtol=1e-3, atol=1e-3)
    form = ConfigDict({"name": f"image:{images}/stripes.png", "split": "train", "size": "24x19", "channels": 3})
    form.resize = "squash"
    small = np.float32(data.load(form).read([0]))
    maps = look(encoder.variables, small, ("conv1", "fire2"))
    for name in ("conv1", "fire2"):
        np.testing.assert_allclose(found.style[name], jax.jit(gram)(maps[name]), rtol=1e-3, atol=1e-3)


def test_the_loss_falls_and_the_content_is_its_own_content(images):
    _, state, rows = ended(config(images, start="content", steps=16))
    assert rows["content/loss"][0] < 1e-9  # it starts with the content
    assert rows["style/loss"][-1] < rows["style/loss"][0]
    assert rows["loss"][-1] < rows["loss"][0]
    assert not state.extra  # neither images nor targets are in the state


def test_an_image_has_its_own_style_and_content(images):
    task, state, rows = ended(config(images, "content", steps=1))
    assert rows["loss"][0] < 1e-6
    x = call(task.outputs["sample"], state, np.arange(2), truncation=None, ema=True)  # as genjax.sample asks
    assert np.abs(np.int32(x[0]) - pixels(images / "content.png")).max() <= 7  # a step of Adam is one of 0.05, 6 of 255
    np.testing.assert_array_equal(x[0], x[1])


def test_it_starts_with_the_content_in_the_styles_colors(images):
    """Before the first step it has their mean; after it, no pixel is more than Adam's step away."""
    task, state, _ = ended(config(images, steps=1))
    x = np.float32(call(task.outputs["sample"], state, np.arange(1))[0])
    style, content = (np.float32(pixels(images / f"{name}.png")).mean((0, 1)) for name in ("stripes", "content"))
    assert np.abs(x.mean((0, 1)) - style).mean() < 0.3 * np.abs(content - style).mean()


@pytest.mark.parametrize("optimizer", [pytest.param("adam", marks=pytest.mark.slow), "lbfgs"])
def test_it_descends_from_noise_through_smaller_images(images, optimizer):
    layers = {"style__layers": ("conv1",), "content__layers": ("conv1",)}
    c = config(images, start="noise", coarse=(1.25,), coarse_steps=4, optimizer__name=optimizer, **layers)
    task, state, rows = ended(c)
    assert [(phase.name, phase.steps) for phase in task.phases] == [("19x19 of 24x24", 4), ("24x24", 6)]
    assert rows["loss"][3] < rows["loss"][0]
    assert rows["loss"][-1] < rows["loss"][4]
    assert rows["loss"][4] < rows["loss"][0]  # it goes on from the smaller one
    assert call(task.outputs["sample"], state, np.arange(1)).shape == (1, SIDE, SIDE, 3)


def test_a_vgg_with_precomputed_kernels_descends_as_one_without(images, monkeypatch):
    net = VGG(16, last="relu2_1")
    variables = jax.jit(net.init)(jax.random.key(0), np.zeros((1, 32, 32, 3), np.float32))
    monkeypatch.setattr(encoders, "load_vgg", lambda file: vgg.Weights(variables, 16, "", "", "zeros", False))
    layers = {"encoder": "vgg:a file", "style__layers": ("relu1_1", "relu2_1"), "content__layers": ("relu2_1",)}
    task, state, rows = ended(config(images, **layers))
    phase = task.phases[0]
    kernels = lambda task: jax.eval_shape(task.phases[0].prepare, state, **phase.inputs())["kernels"]  # noqa: E731
    assert sorted(kernels(task)["winograd"]) == ["conv2_1"]
    monkeypatch.setattr(vgg_net, "precompute", lambda variables, names: {})
    plain_task, _, plain = ended(config(images, **layers))
    assert not kernels(plain_task)
    np.testing.assert_allclose(rows["loss"], plain["loss"], rtol=1e-4)
    assert rows["loss"][-1] < rows["loss"][0]


def test_shares_weigh_styles_and_masks_place_them(images):
    one = {"style__layers": ("conv1",), "content__layers": ("conv1",), "steps": 1}
    _, _, rows = ended(config(images, "stripes", "noise", style__shares=(1.0, 0.0), **one))
    _, _, alone = ended(config(images, "stripes", **one))
    np.testing.assert_allclose(rows["style/loss"], alone["style/loss"], rtol=1e-5)
    masks = tuple(f"{images}/{side}.png" for side in ("left", "right"))
    losses = []
    for given in (masks, masks[::-1]):
        c = config(images, "stripes", "noise", style__masks=given, **one)
        c.data.name = f"image:{images}/halves.png"
        losses.append(ended(c)[2]["style/loss"][0])
    assert losses[0] < 0.5 * losses[1]  # stripes are on the left of it, noise on the right
    assert targets(c).style["conv1"].shape == (2, 64, 64)
    assert targets(c).guides["conv1"].shape[0] == 2


def test_luma_alone_keeps_the_contents_colors(images):
    task, state, _ = ended(config(images, color="luma"))
    x = to_float(call(task.outputs["sample"], state, np.arange(1))[0], "tanh")
    content = to_float(pixels(images / "content.png"), "tanh")
    apart = (x - luma(x)) - (content - luma(content))
    inside = (np.abs(x) < 0.99).all(-1)  # where nothing was clipped
    assert inside.mean() > 0.3
    assert np.abs(to_pixels(apart, "tanh") - 127.5)[inside].max() < 1.5  # of rounding


def test_matched_colors_are_the_contents(images):
    """The statistics of conv1, which sees colors, come nearer to the content's own."""
    cases = config(images, color="match"), config(images), config(images, "content")
    found = [targets(c).style["conv1"] for c in cases]
    assert np.abs(found[0] - found[2]).mean() < np.abs(found[1] - found[2]).mean()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"style__images": ()}, "style.images is empty"),
        (
            {"style__layers": ("fire10",)},
            r"style.layers: no 'fire10' \(did you mean 'fire\d'\?\); squeezenet has conv1",
        ),
        ({"content__layers": ("relu4_2",)}, "content.layers: no 'relu4_2'"),
        ({"style__weights": (1.0,)}, "style.weights=.*expected 2 numbers of 0 or more, not all 0, one per layer"),
        ({"style__shares": (0.5, 0.5)}, "style.shares=.*expected 1 numbers"),
        ({"style__masks": ("a.png", "b.png")}, "style.masks: expected none, or one per image \\(1\\), got 2"),
        ({"style__weight": -1.0}, "style.weight=-1.0"),
        ({"coarse": (2, 4)}, r"coarse=\(2, 4\).*falling numbers above 1"),
        ({"coarse": (4,)}, "gives 6x6: squeezenet needs at least 17x17"),
        ({"encoder": "vgg19"}, "encoder='vgg19': expected 'squeezenet', which is packaged, or 'vgg:FILE'"),
        ({"start": "style"}, "start: no 'style'"),
        ({"color": "rgb"}, "color: no 'rgb'"),
        ({"pooling": "mean"}, "pooling: no 'mean'"),
        ({"optimizer__name": "sgd"}, "optimizer.name: no 'sgd'"),
        ({"batch": 2}, "batch=2: expected 1"),
    ],
)
def test_settings_that_do_not_fit_are_refused(overrides, message, images):
    with pytest.raises(InputError, match=message):
        tasks.build(config(images, **overrides), (SIDE, SIDE, 3))


def test_a_gray_content_is_refused(images):
    with pytest.raises(InputError, match=r"\[24, 24, 1\]: set data.channels=3"):
        tasks.build(config(images), (SIDE, SIDE, 1))


def test_a_task_is_built_and_its_state_described_without_reading_an_image(images):
    c = config(images, "absent", style__masks=("absent.png",), color="luma")
    task = tasks.build(c, (SIDE, SIDE, 3))
    assert loop.shapes(task).extra["content"].shape == (SIDE, SIDE, 3)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"style__images": ("none.png",)}, "none.png does not exist"),
        ({"style__masks": ("none.png",)}, "none.png does not exist"),
        ({"data__name": "image:none.png"}, "none.png does not exist"),
        ({"data__name": "fashion_mnist_10k"}, "has 10,000 images: expected one, the content"),
    ],
)
def test_images_that_cannot_be_used_are_refused_when_they_are_read(overrides, message, images):
    task = tasks.build(config(images, **overrides), (SIDE, SIDE, 3))
    for read in (task.files, task.phases[0].inputs):
        with pytest.raises(InputError, match=message):
            read()


def test_files_are_digested_by_name(images):
    c = config(images, style__masks=(f"{images}/left.png",))
    files = tasks.build(c, (SIDE, SIDE, 3)).files()
    assert files.keys() == {c.data.name, *c.style.images, *c.style.masks}
    changed = images / "changed.png"
    Image.fromarray(255 - pixels(images / "content.png")).save(changed)
    c.data.name = f"image:{changed}"
    assert tasks.build(c, (SIDE, SIDE, 3)).files()[c.data.name] not in files.values()
