"""A VQ-VAE's step is the net's by the loss of its definition and the codebook's by running averages."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import call

from configs import vqvae
from genjax import tasks
from genjax.errors import InputError
from genjax.nets.residual import ResidualAutoencoder
from genjax.ops import vector_quantize

SHAPE = (6, 9, 1)


def build(shape=SHAPE, **overrides):
    config = vqvae.get_config("smoke")
    config.vqvae.update(channels=(3,), blocks=1, latent=4)
    config.codebook.codes = 10
    config.update_from_flattened_dict(overrides)
    return tasks.build(config, shape)


def start(task):
    return jax.jit(task.init)(jax.random.key(0))


def images(count=8):
    return np.random.default_rng(0).integers(0, 256, (count, *SHAPE), dtype=np.uint8)


def advance(task, state, x):
    return jax.device_get(jax.jit(task.phases[0].step)(state, {"x": x[None]}, jax.random.key(1)))


@pytest.mark.heavy
def test_a_step_is_the_papers_update():
    """SGD by eq. 3 without the codebook's term; the encoder's gradient is that at the decoder's start."""
    settings = {"optimizer.name": "sgd", "optimizer.learning_rate": 0.1, "commitment": 0.5, "codebook.restart": 0.0}
    task = build(**settings)
    state, x = start(task), images()
    params, book = state.nets["vqvae"].params, state.nets["vqvae"].stats["codebook"]
    net = ResidualAutoencoder(SHAPE, channels=(3,), blocks=1, latent=4)
    target = jnp.asarray(x, jnp.float32) / 255

    def restored(p, q):
        y = jax.nn.sigmoid(net.apply({"params": p}, q, method="decode"))
        return -jnp.mean(target * jnp.log(y) + (1 - target) * jnp.log(1 - y))

    @jax.jit
    def by_hand(params):
        z, pull = jax.vjp(lambda p: net.apply({"params": p}, target, method="encode"), params)
        indices = jnp.linalg.norm(z[..., None, :] - book["codes"], axis=-1).argmin(-1)
        q = book["codes"][indices]
        value, (of_decoder, of_codes) = jax.value_and_grad(restored, (0, 1))(params, q)
        of_encoder = pull(of_codes + 0.5 * 2 * (z - q) / z.size)[0]
        return z, q, indices, value, jax.tree.map(lambda p, a, b: p - 0.1 * (a + b), params, of_decoder, of_encoder)

    z, q, indices, value, expected = jax.device_get(by_hand(params))
    after, metrics = advance(task, state, x)
    np.testing.assert_allclose(metrics["reconstruction/loss"], value, rtol=1e-5)
    np.testing.assert_allclose(metrics["loss"], value + 0.5 * np.mean((z - q) ** 2), rtol=1e-5)
    for ours, theirs in zip(jax.tree.leaves(after.nets["vqvae"].params), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)

    counts = np.bincount(indices.ravel(), minlength=10)
    share = counts[counts > 0] / counts.sum()
    np.testing.assert_allclose(metrics["codes/perplexity"], np.exp(-(share * np.log(share)).sum()), rtol=1e-5)
    moved = jax.jit(vector_quantize.update_codebook, static_argnums=3)(
        vector_quantize.Codebook(**book), z.reshape(-1, 4), jnp.asarray(indices.ravel()), 0.99
    )
    np.testing.assert_allclose(after.nets["vqvae"].stats["codebook"]["codes"], moved.codes, rtol=1e-5, atol=1e-6)


@pytest.mark.heavy
def test_unused_codes_are_restarted_within_a_step():
    task = build()
    state = start(task)
    stats = state.nets["vqvae"].stats["codebook"]
    far = {**stats, "codes": stats["codes"].at[1:].add(1e3), "sums": stats["sums"].at[1:].add(1e3)}
    state = state.replace(nets={"vqvae": state.nets["vqvae"].replace(stats={"codebook": far})})
    after, metrics = advance(task, state, images())
    assert metrics["codes/restarted"] == 9
    np.testing.assert_allclose(metrics["codes/perplexity"], 1, rtol=1e-6)
    assert np.abs(after.nets["vqvae"].stats["codebook"]["codes"]).max() < 100


@pytest.mark.heavy
def test_outputs_are_code_indices_and_images_of_them():
    task = build()
    state, x = start(task), images(3)
    indices = call(task.outputs["encode"], state, x)
    assert (indices.shape, indices.dtype) == ((3, 3, 5), jnp.int32)
    y = call(task.outputs["reconstruct"], state, x)
    assert y.shape == x.shape
    np.testing.assert_allclose(call(task.outputs["decode"], state, indices), y, rtol=1e-5)
    assert "sample" not in task.outputs


@pytest.mark.parametrize(
    ("overrides", "shape", "message"),
    [
        ({"codebook.codes": 0}, SHAPE, "codebook.codes=0"),
        ({"codebook.decay": 1.0}, SHAPE, "decay=1.0"),
        ({"codebook.restart": -1.0}, SHAPE, "restart=-1.0"),
        ({"commitment": -0.1}, SHAPE, "commitment=-0.1"),
        ({"loss": "mse"}, SHAPE, "mse with another"),
        ({"loss": "bse"}, SHAPE, "choose from 'bce'"),
        ({"vqvae.net": "residul"}, SHAPE, "did you mean 'residual'"),
        ({}, (2,), "needs images"),
    ],
)
def test_choices_that_do_not_exist_or_fit_are_refused(overrides, shape, message):
    with pytest.raises(InputError, match=message):
        build(shape, **overrides)


def test_empty_latents_are_refused():
    with pytest.raises(InputError, match="latent=0"):
        start(build(**{"vqvae.latent": 0}))
