"""AdaIN: its losses against the paper's equations, its training, and refused settings."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import config_of

from genjax import data, tasks
from genjax.errors import InputError
from genjax.losses.style import moments_loss
from genjax.nets.adain import Decoder
from genjax.ops.moments import adaptive_instance_norm
from genjax.tasks import adain
from genjax.weights import encoders

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def case():
    c = config_of("style_adain", crop=0, jitter=0)
    source = data.load(c.data)
    task = tasks.build(c, source.shape)
    state = jax.device_get(jax.jit(task.init)(jax.random.key(0)))
    return c, source, task, state, jax.jit(task.phases[0].step)


def test_a_step_descends_on_the_papers_loss(case):
    """Equations 11 to 13 by hand, of the whole images, mirrored as the step mirrors them."""
    c, source, _, state, step = case
    x = jnp.asarray(source.read([0, 5]))
    _, metrics = step(state, {"x": x[None]}, jax.random.key(1))
    encoder = encoders.load("squeezenet")
    decoder = Decoder(tuple(map(tuple, c.widths)))

    def encode(x):
        return encoder.apply(encoder.variables, x, encoder.adain_style)

    @jax.jit
    def losses(x):
        content, style = (
            encode(adain.random_crop(half, 32, jax.random.fold_in(jax.random.key(1), number)).astype(float))
            for number, half in enumerate(jnp.split(x, 2, 1))
        )
        target = adaptive_instance_norm(content["fire3"], style["fire3"])
        output = encode((decoder.apply(state.nets["decoder"].variables, target) + 1) * 127.5)
        of_style = sum(moments_loss(output[name], style[name]) for name in ("conv1", "fire2", "fire3", "fire4"))
        return jnp.square(output["fire3"] - target).mean(), of_style

    of_content, of_style = losses(x)
    np.testing.assert_allclose(metrics["content/loss"], of_content, rtol=1e-3)
    np.testing.assert_allclose(metrics["style/loss"], of_style, rtol=1e-3)
    np.testing.assert_allclose(metrics["loss"], of_content + c.style_weight * of_style, rtol=1e-3)


def test_other_layers_exchange_moments_and_judge():
    c = config_of("style_adain", crop=0, jitter=0, layer="fire5", style_layers=("conv1", "fire6"), widths=((8,),) * 4)
    source = data.load(c.data)
    task = tasks.build(c, source.shape)
    state = jax.jit(task.init)(jax.random.key(0))
    x = source.read([0, 5])
    assert jax.eval_shape(task.outputs["features"], state, x[:, :32]).shape == (2, 4, 4, 256)
    _, metrics = jax.jit(task.phases[0].step)(state, {"x": x[None]}, jax.random.key(1))
    encoder = encoders.load("squeezenet")
    content, style = (
        adain.random_crop(half, 32, jax.random.fold_in(jax.random.key(1), number)).astype(float)
        for number, half in enumerate(jnp.split(jnp.asarray(x), 2, 1))
    )
    names = ("conv1", "fire5", "fire6")
    of_content, of_style = (encoder.apply(encoder.variables, x, names) for x in (content, style))
    target = adaptive_instance_norm(of_content["fire5"], of_style["fire5"])
    image = (Decoder(c.widths).apply(state.nets["decoder"].variables, target) + 1) * 127.5
    output = encoder.apply(encoder.variables, image, names)
    expected = sum(moments_loss(output[name], of_style[name]) for name in ("conv1", "fire6"))
    np.testing.assert_allclose(metrics["style/loss"], expected, rtol=1e-3)
    np.testing.assert_allclose(metrics["content/loss"], jnp.square(output["fire5"] - target).mean(), rtol=1e-3)


def test_with_jitter_the_style_is_of_a_part_of_the_image():
    """The style loss is that of one of the sixteen parts; the content's is that of the whole image."""
    c = config_of("style_adain", crop=0, jitter=3)
    source = data.load(c.data)
    task = tasks.build(c, source.shape)
    state = jax.jit(task.init)(jax.random.key(0))
    x = jnp.asarray(source.read([0, 5]))
    step = jax.jit(task.phases[0].step)
    encoder = encoders.load("squeezenet")

    def encode(x):
        return encoder.apply(encoder.variables, x, encoder.adain_style)

    for seed in range(3):
        key = jax.random.key(seed)
        content, style = (
            encode(adain.random_crop(half, 32, jax.random.fold_in(key, number)).astype(float))
            for number, half in enumerate(jnp.split(x, 2, 1))
        )
        target = adaptive_instance_norm(content["fire3"], style["fire3"])
        image = (Decoder(tuple(map(tuple, c.widths))).apply(state.nets["decoder"].variables, target) + 1) * 127.5
        possible = []
        for row, column in np.ndindex(4, 4):
            part = encode(image[:, row : row + 29, column : column + 29])
            possible.append(sum(float(moments_loss(part[name], style[name])) for name in encoder.adain_style))
        _, metrics = step(state, {"x": x[None]}, key)
        assert np.abs(np.array(possible) - float(metrics["style/loss"])).min() < 1e-3 * possible[0]
        np.testing.assert_allclose(
            metrics["content/loss"], jnp.square(encode(image)["fire3"] - target).mean(), rtol=1e-3
        )


def test_the_decoder_learns_and_the_encoder_stays(case):
    _, source, _, state, step = case
    before = state
    x = jnp.asarray(source.read([0, 5]))[None]
    losses = []
    for _ in range(8):
        state, metrics = step(state, {"x": x}, jax.random.key(1))
        losses.append(float(metrics["loss"]))
    assert losses[-1] < 0.8 * losses[0]

    def same(a, b):
        return jax.tree.all(jax.tree.map(np.array_equal, a, b))

    assert same(state.nets["encoder"], before.nets["encoder"])
    assert not same(state.nets["decoder"].params, before.nets["decoder"].params)


def test_outputs_exchange_moments(case):
    _, source, task, state, _ = case
    features, pixels, stylize = (jax.jit(task.outputs[name]) for name in ("features", "pixels", "stylize"))
    x = source.read([3, 7])
    content, style = np.split(x, 2, 1)
    f, s = (features(state, half) for half in (content, style))
    assert f.shape == (2, 8, 8, 128)
    by_hand = pixels(state, adaptive_instance_norm(f, s))
    np.testing.assert_allclose(stylize(state, x), by_hand, rtol=1e-4, atol=1e-2)
    assert by_hand.shape == content.shape


def test_crops_are_of_the_image_and_of_one_example_whatever_the_batch():
    x = np.arange(2 * 9 * 9 * 1.0, dtype=np.float32).reshape(2, 9, 9, 1)
    crop = jax.jit(adain.random_crop, static_argnums=1)
    found = np.asarray(crop(x, 4, jax.random.key(3)))
    assert found.shape == (2, 4, 4, 1)
    across = np.diff(found[..., 0], axis=2)
    assert (np.abs(across) == 1).all()  # neighbors stay neighbors, mirrored or not
    assert (np.diff(found[..., 0], axis=1) == 9).all()
    np.testing.assert_array_equal(crop(x[:1], 4, jax.random.key(3)), found[:1])
    whole = np.asarray(crop(x, 9, jax.random.key(3)))
    np.testing.assert_array_equal(whole[..., 0].sum((1, 2)), x[..., 0].sum((1, 2)))


@pytest.mark.parametrize(
    ("overrides", "shape", "message"),
    [
        ({}, (64, 32, 1), r"content over a square style, in color, but the data have shape \[64, 32, 1\]"),
        ({}, (32, 32, 3), "set data.name=pairs:CONTENTS,STYLES"),
        ({"crop": 20}, (64, 32, 3), "crop=20 of images of 32 pixels: expected a multiple of 8 from 24 to 32"),
        ({"crop": 40}, (64, 32, 3), "crop=40"),
        ({"encoder": "squeezenet2"}, (64, 32, 3), "encoder='squeezenet2'"),
        ({"jitter": 9}, (64, 32, 3), "jitter=9: expected a number from 0, none, to 7, so that 17 of 24 pixels"),
        ({"layer": "fire33"}, (64, 32, 3), "layer: no 'fire33'"),
        ({"style_layers": ("relu1_1",)}, (64, 32, 3), "style_layers: no 'relu1_1'; squeezenet has conv1"),
        ({"layer": "fire5"}, (64, 32, 3), "3 tuples make 12 pixels of 3 at fire5, expected 24"),
        (
            {"widths": ((8,), (8,))},
            (64, 32, 3),
            "2 tuples make 12 pixels of 6 at fire3, expected 24",
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused(overrides, shape, message):
    with pytest.raises(InputError, match=message):
        tasks.build(config_of("style_adain", **overrides), shape)
