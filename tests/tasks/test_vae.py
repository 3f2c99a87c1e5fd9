"""A variational autoencoder's step and outputs are its definition's, on models whose answers are known."""

import math
from functools import partial
from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import call
from scipy import stats

from configs import vae, vae_conv
from genjax import tasks
from genjax.engine.outputs import apply_in_batches
from genjax.errors import InputError
from genjax.losses.variational import LIKELIHOODS, Likelihood, gaussian_kl
from genjax.nets.autoencoder import Dense
from genjax.ops import noise
from genjax.tasks.variational.elbo import negative_elbo
from genjax.tasks.variational.model import Model
from genjax.tasks.variational.outputs import DRAWS

SHAPE = (6, 5, 1)


def build(config=None, shape=SHAPE, **overrides):
    config = config or vae.get_config("smoke")
    config.update_from_flattened_dict(overrides)
    return tasks.build(config, shape)


def start(task, seed=0):
    return jax.device_get(jax.jit(task.init)(jax.random.key(seed)))


def images(count, shape=SHAPE, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


def advance(task, state, x=None, label=None, seed=1):
    batch = {"x": jnp.asarray(images(task.phases[0].batch) if x is None else x)[None]}
    batch |= {} if label is None else {"label": jnp.asarray(label)[None]}
    return jax.device_get(jax.jit(task.phases[0].step)(state, batch, jax.random.key(seed)))


def assert_close(ours, theirs, **tolerance):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, **tolerance), ours, theirs)


# -- the update


@pytest.mark.heavy
def test_a_step_is_the_textbooks_update(monkeypatch):
    """One SGD step: cross-entropy as a mean over pixels, the latent loss summed over latents and divided by them."""
    task = build(**{"optimizer.name": "sgd", "optimizer.learning_rate": 0.1})
    eps, x = np.random.default_rng(1).normal(size=(8, 1, 4)).astype(np.float32), images(8)
    monkeypatch.setattr(noise, "normal", lambda key, count, shape: jnp.asarray(eps))
    state = start(task)

    def dense(layer, x):
        return x @ layer["kernel"] + layer["bias"]

    def loss(p):
        target = jnp.asarray(x, jnp.float32).reshape(8, -1) / 255
        latents = dense(p["encoder_1"], jax.nn.selu(dense(p["encoder_0"], target)))
        mean, gamma = latents[:, :4], latents[:, 4:]
        z = mean + jnp.exp(gamma / 2) * eps[:, 0]
        y = jax.nn.sigmoid(dense(p["decoder_1"], jax.nn.selu(dense(p["decoder_0"], z))))
        latent_loss = -0.5 * jnp.sum(1 + gamma - jnp.exp(gamma) - mean**2, axis=-1)
        return -jnp.mean(target * jnp.log(y) + (1 - target) * jnp.log(1 - y)) + jnp.mean(latent_loss) / 30

    params = state.nets["vae"].params
    value, slope = jax.device_get(jax.jit(jax.value_and_grad(loss))(params))
    after, metrics = advance(task, state, x)
    np.testing.assert_allclose(metrics["loss"], value, rtol=1e-5)
    assert_close(after.nets["vae"].params, jax.tree.map(lambda p, s: p - 0.1 * s, params, slope), rtol=2e-4, atol=1e-6)
    assert after.step == 1


@pytest.mark.heavy
def test_the_sum_is_the_mean_times_the_count_of_numbers_of_an_example():
    mean, total = build(), build(**{"elbo.reduction": "sum"})
    ours, theirs = (advance(task, start(task))[1] for task in (mean, total))
    for name in ("loss", "reconstruction/loss"):
        np.testing.assert_allclose(theirs[name], ours[name] * math.prod(SHAPE), rtol=1e-5)
    np.testing.assert_allclose(theirs["kl/nats"], ours["kl/nats"], rtol=1e-6)
    np.testing.assert_allclose(theirs["loss"], theirs["reconstruction/loss"] + theirs["kl/nats"], rtol=1e-5)


@pytest.mark.heavy
def test_the_weight_of_the_kl_is_beta_after_the_warm_up():
    task = build(**{"elbo.beta": 3.0, "elbo.warm_up": 4, "elbo.reduction": "sum"})
    state, weights, step = start(task), [], jax.jit(task.phases[0].step)
    batch = {"x": images(task.phases[0].batch)[None]}
    for _ in range(6):
        state, metrics = jax.device_get(step(state, batch, jax.random.key(1)))
        weights.append(float(metrics["kl/weight"]))
        expected = metrics["reconstruction/loss"] + weights[-1] * metrics["kl/nats"]
        np.testing.assert_allclose(metrics["loss"], expected, rtol=1e-5)
    assert weights == [0, 0.75, 1.5, 2.25, 3, 3]


@pytest.mark.heavy
def test_if_all_nats_are_free_training_is_that_without_the_kl():
    sgd = {"optimizer.name": "sgd", "optimizer.learning_rate": 0.1}
    free, none, plain = build(**sgd, **{"elbo.free_bits": 1e3}), build(**sgd, **{"elbo.beta": 0.0}), build(**sgd)
    after = [advance(task, start(task))[0].nets["vae"].params for task in (free, none, plain)]
    assert_close(after[0], after[1], rtol=1e-6)
    assert (after[0]["encoder_1"]["kernel"] != after[2]["encoder_1"]["kernel"]).any()


# -- a linear Gaussian model, of which everything is known: p(x | z) = N(W z + b, std^2), q(z | x) = N(A x + a, ...)

STD, POINTS, LATENT = 0.7, 3, 2


def linear(**overrides):
    config = vae.get_config()
    config.vae = {"net": "dense", "widths": (LATENT,), "activation": "linear", "output": "linear"}
    config.likelihood.update(name="gaussian", std=STD)
    config.elbo.reduction = "sum"
    task = build(config, (POINTS,), **overrides)
    # A posterior that is near the true one without being it.
    rng = np.random.default_rng(0)
    w, b = rng.normal(size=(LATENT, POINTS)), rng.normal(size=POINTS)
    precision = np.eye(LATENT) + w @ w.T / STD**2
    exact = np.linalg.solve(precision, w / STD**2).T
    kernel = np.concatenate([exact * 1.1, np.zeros((POINTS, LATENT))], 1)
    bias = np.concatenate([-b @ exact, -np.log(np.diag(precision)) + 0.3])
    encoder, decoder = {"kernel": kernel, "bias": bias}, {"kernel": w, "bias": b}
    params = jax.tree.map(lambda a: jnp.asarray(a, jnp.float32), {"encoder_0": encoder, "decoder_0": decoder})
    state = start(task)
    state = state.replace(nets={"vae": state.nets["vae"].replace(params=params)})
    points = (rng.normal(size=(6, LATENT)) @ w + b + STD * rng.normal(size=(6, POINTS))).astype(np.float32)
    return task, state, points, stats.multivariate_normal(b, w.T @ w + STD**2 * np.eye(POINTS)).logpdf(points)


def elbo(params, x):
    """In closed form: the expected squared error has the posterior's variance through the decoder."""
    mean, logvar = jnp.split(x @ params["encoder_0"]["kernel"] + params["encoder_0"]["bias"], 2, axis=1)
    w, b = params["decoder_0"]["kernel"], params["decoder_0"]["bias"]
    squares = jnp.square(x - mean @ w - b).sum(1) + jnp.exp(logvar) @ jnp.square(w).sum(1)
    expected = -squares / (2 * STD**2) - x.shape[1] * math.log(STD * math.sqrt(2 * math.pi))
    return expected - (jnp.square(mean) + jnp.exp(logvar) - 1 - logvar).sum(1) / 2


@pytest.mark.heavy
def test_the_reparameterized_gradient_is_unbiased():
    """A step of SGD moves the weights by it; 16 steps with other noise say how far it is from its mean."""
    count = 4000
    task, state, points, _ = linear(**{"optimizer.name": "sgd", "optimizer.learning_rate": 1.0, "batch": count})
    before, x = state.nets["vae"].params, jnp.tile(points[:4], (count // 4, 1))
    step = jax.jit(lambda key: task.phases[0].step(state, {"x": x[None]}, key)[0].nets["vae"].params)
    moved = [jax.device_get(step(jax.random.key(seed))) for seed in range(16)]
    gradients = jax.tree.map(lambda p, *after: np.asarray(p) - np.stack(after), before, *moved)
    slope = jax.jit(jax.grad(lambda p: -elbo(p, points[:4]).mean()))(before)
    largest = max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(slope))
    for draws, expected in zip(jax.tree.leaves(gradients), jax.tree.leaves(slope), strict=True):
        error = draws.std(0, ddof=1) / 4
        assert (np.abs(draws.mean(0) - expected) < 4 * error + 1e-5).all()
        assert (error < 0.03 * largest).all()


@pytest.mark.heavy
def test_one_weight_is_the_elbo_and_many_are_the_likelihood():
    task, state, points, exact = linear()
    weights = np.asarray(call(task.outputs["log_weights"], state, points, draws=20_000), np.float64)
    bounds = {}
    for k in (1, 5, 50, 20_000):
        groups = weights.reshape(len(points), -1, k)
        bounds[k] = (np.log(np.exp(groups - exact[:, None, None]).mean(2))).mean(1)  # less the likelihood
    errors = weights.std(1) / np.sqrt(weights.shape[1])
    assert (np.abs(bounds[1] + exact - elbo(state.nets["vae"].params, points)) < 5 * errors).all()
    assert (bounds[1] < bounds[5]).all()
    assert (bounds[5] < bounds[50]).all()
    np.testing.assert_allclose(bounds[20_000], 0, atol=0.03)
    assert bounds[1].mean() < -0.05


@pytest.mark.heavy
def test_the_loss_of_more_samples_is_the_tighter_bound():
    losses = {}
    for samples in (1, 4, 2000):
        task, state, points, exact = linear(**{"elbo.samples": samples, "batch": 600})
        losses[samples] = float(advance(task, state, np.tile(points, (100, 1)))[1]["loss"])
    assert losses[1] > losses[4] > losses[2000]
    np.testing.assert_allclose(losses[1], -elbo(state.nets["vae"].params, points).mean(), atol=0.15)
    np.testing.assert_allclose(losses[2000], -exact.mean(), atol=0.02)


# -- outputs


@pytest.mark.heavy
@pytest.mark.parametrize("config", [vae, vae_conv])
@pytest.mark.parametrize("classes", [0, 3])
def test_outputs_have_the_shapes_of_their_contract(config, classes):
    task = build(config.get_config("smoke"), classes=classes)

    def outputs():
        state, x, o = call(task.init, jax.random.key(0)), jnp.zeros((4, *SHAPE), jnp.uint8), task.outputs
        z, seeds = o["latents"](state, jnp.arange(4)), jnp.arange(4)
        latents = o["encode"](state, x), o["encode"](state, x, label=seeds, sampled=True)
        images = o["decode"](state, z, ema=True), o["reconstruct"](state, x)
        return z, latents, images, o["log_weights"](state, x), o["sample"](state, seeds, truncation=0.5, ema=True)

    z, latents, images, weights, samples = jax.eval_shape(outputs)
    assert [leaf.shape for leaf in latents] == [z.shape, z.shape] == [(4, z.shape[1])] * 2
    assert [leaf.shape for leaf in images] == [(4, *SHAPE)] * 2
    assert weights.shape == (4, DRAWS)
    assert (samples.shape, samples.dtype) == ((4, *SHAPE), jnp.uint8)


@pytest.mark.heavy
def test_reconstructions_are_decoded_from_the_means():
    task = build()
    state, x = start(task), images(4)
    z = call(task.outputs["encode"], state, x)
    np.testing.assert_allclose(
        call(task.outputs["decode"], state, z), call(task.outputs["reconstruct"], state, x), rtol=1e-5
    )
    assert (call(task.outputs["encode"], state, x, sampled=True) != z).all()


@pytest.mark.heavy
def test_a_sample_depends_on_its_seed_alone():
    task = build(vae_conv.get_config("smoke"))
    state = start(task)
    sample = jax.jit(task.outputs["sample"])
    together, shuffled = sample(state, np.array([5, 6, 7, 8])), sample(state, np.array([8, 5, 0, 6]))
    np.testing.assert_array_equal(together[np.array([3, 0, 1])], shuffled[np.array([0, 1, 3])])
    assert (together[0] != together[1]).any()


@pytest.mark.heavy
def test_the_weights_of_an_example_depend_on_neither_the_batch_nor_the_number_of_draws():
    task = build()
    state, x = start(task), images(20)
    all_ = apply_in_batches(task.outputs["log_weights"], state, x, draws=7)
    np.testing.assert_allclose(
        apply_in_batches(task.outputs["log_weights"], state, x[17:18], draws=7), all_[17:18], rtol=1e-5
    )
    np.testing.assert_allclose(apply_in_batches(task.outputs["log_weights"], state, x, draws=3), all_[:, :3], rtol=1e-5)
    assert (all_[:, 0] != all_[:, 1]).all()


@pytest.mark.heavy
def test_weights_are_in_nats_per_example_for_any_reduction_of_the_loss():
    """A Bernoulli net against its formula, with the latents that `encode` samples first."""
    task = build()
    state, x = start(task), images(5)
    z = np.asarray(call(task.outputs["encode"], state, x, sampled=True))
    y = np.asarray(call(task.outputs["decode"], state, z), np.float64) / 255
    target = x / 255
    log_p = (target * np.log(y) + (1 - target) * np.log(1 - y)).sum((1, 2, 3)) + stats.norm.logpdf(z).sum(1)
    p = jax.tree.map(np.float64, state.nets["vae"].params)
    h = np.asarray(jax.nn.selu(target.reshape(5, -1) @ p["encoder_0"]["kernel"] + p["encoder_0"]["bias"]))
    mean, logvar = np.split(h @ p["encoder_1"]["kernel"] + p["encoder_1"]["bias"], 2, axis=1)
    log_q = stats.norm.logpdf(z, mean, np.exp(logvar / 2)).sum(1)
    np.testing.assert_allclose(call(task.outputs["encode"], state, x), mean, atol=1e-5)
    np.testing.assert_allclose(call(task.outputs["log_weights"], state, x)[:, 0], log_p - log_q, rtol=1e-5)
    for scale in ("mean", "sum"):
        weights = call(build(**{"elbo.reduction": scale}).outputs["log_weights"], state, x)
        np.testing.assert_allclose(weights[:, 0], log_p - log_q, rtol=1e-5)


# -- labels


@pytest.fixture(scope="module")
def shades():
    """A model with labels, trained on dark images of label 0 and bright ones of label 1."""
    config = vae.get_config("smoke")
    config.batch = 32
    config.vae.widths = (16, 2)
    config.optimizer.update(name="adam", learning_rate=0.02)
    task = build(config, classes=2, **{"elbo.reduction": "sum"})
    state, step = start(task), jax.jit(task.phases[0].step)
    label = np.arange(32) % 2
    x = np.where(label[:, None, None, None], 200, 20) + images(32) // 8
    for i in range(150):
        batch = {"x": jnp.asarray(x, jnp.uint8)[None], "label": jnp.asarray(label)[None]}
        state, _ = step(state, batch, jax.random.key(i))
    return task, state, x.astype(np.uint8), label


@pytest.mark.heavy
def test_samples_have_the_class_of_their_seed(shades):
    task, state, _, _ = shades
    brightness = call(task.outputs["sample"], state, jnp.arange(10)).mean((1, 2, 3))
    assert (brightness[0::2] < 80).all()
    assert (brightness[1::2] > 170).all()


@pytest.mark.heavy
def test_an_absent_label_is_inferred(shades):
    task, state, x, label = shades
    np.testing.assert_allclose(
        call(task.outputs["encode"], state, x), call(task.outputs["encode"], state, x, label=label), atol=1e-6
    )
    known, inferred = (call(task.outputs["log_weights"], state, x, label=labels, draws=2) for labels in (label, None))
    np.testing.assert_allclose(inferred, known - np.log(2), rtol=1e-5)
    others = call(task.outputs["log_weights"], state, x, label=1 - label, draws=2)
    assert (others < known).all()


@pytest.mark.heavy
def test_labels_outside_the_classes_stop_the_run():
    task = build(classes=3)
    state = start(task)
    assert np.isfinite(advance(task, state, label=np.arange(8) % 3)[1]["loss"])
    for wrong in (3, -1):
        assert np.isnan(advance(task, state, label=np.full(8, wrong))[1]["loss"])


# -- bad input


@pytest.mark.parametrize(
    ("overrides", "shape", "message"),
    [
        ({"vae.widths": (8, 0)}, SHAPE, "expected sizes of at least 1"),
        ({"vae.widths": ()}, SHAPE, "latents of size 0"),
        ({"classes": 1}, SHAPE, "classes=1"),
        ({"classes": -2}, SHAPE, "classes=-2"),
        ({"elbo.beta": -1.0}, SHAPE, "elbo.beta=-1.0"),
        ({"elbo.warm_up": -1}, SHAPE, "warm_up=-1"),
        ({"elbo.free_bits": -0.5}, SHAPE, "free_bits=-0.5"),
        ({"elbo.samples": 0}, SHAPE, "elbo.samples=0"),
        ({"elbo.samples": 5, "elbo.free_bits": 0.5}, SHAPE, "free_bits=0"),
        ({"elbo.reduction": "average"}, SHAPE, "expected 'mean' or 'sum'"),
        ({"likelihood.name": "gauss"}, SHAPE, "did you mean 'gaussian'"),
        ({"likelihood.std": 0.0}, SHAPE, "std=0.0"),
        ({"vae.output": "tanh"}, SHAPE, "bernoulli with sigmoid"),
        ({}, (2,), "of points: expected gaussian with linear"),
        ({"vae.net": "dens"}, SHAPE, "did you mean 'dense'"),
    ],
)
def test_choices_that_do_not_exist_or_fit_are_refused(overrides, shape, message):
    with pytest.raises(InputError, match=message):
        build(None, shape, **overrides)


def test_the_convolutional_net_is_for_images():
    with pytest.raises(InputError, match="needs images"):
        build(vae_conv.get_config(), (2,))


# -- parts


@pytest.mark.heavy
def test_a_models_terms_can_be_computed_alone():
    """The bound of one example is its terms', from the modules that hold them."""
    config = vae.get_config("smoke")
    config.elbo.reduction = "sum"
    task = build(config)
    state, x = start(task), images(3).astype(np.float32) / 255
    net = Dense(SHAPE, (8, 4), heads=2, latent_activation="linear")
    model = Model(net, LIKELIHOODS["bernoulli"], 1.0, SHAPE)
    params, key = state.nets["vae"].params, jax.random.key(3)
    _, (_, metrics) = negative_elbo(model, config.elbo, net.apply, params, {}, x, model.unlabeled(3), 1.0, key)
    apply = partial(net.apply, {"params": params})
    mean, logvar = model.posterior(apply, x, model.unlabeled(3))
    z = mean[:, None] + jnp.exp(logvar[:, None] / 2) * noise.normal(key, 3, (1, 4))
    nll = model.nll(apply, z, x, model.unlabeled(3))
    np.testing.assert_allclose(metrics["reconstruction/loss"], nll.mean(), rtol=1e-6)
    np.testing.assert_allclose(metrics["kl/nats"], gaussian_kl(mean, logvar).sum(1).mean(), rtol=1e-6)
    np.testing.assert_allclose(metrics["loss"], metrics["reconstruction/loss"] + metrics["kl/nats"], rtol=1e-6)


LAPLACE = Likelihood(
    lambda y, x, std: jnp.abs(y - x) / std + np.log(2 * std), False, ("sigmoid", "linear"), ("linear",)
)


class Mine(Dense):
    """A net of another module."""


class WithoutLatent(nn.Module):
    """A net that cannot say the size of its latents."""

    shape: tuple[int, ...]
    output: str = "sigmoid"
    heads: int = 1
    latent_activation: str = "linear"
    label_input: ClassVar[str] = "concat"

    def __call__(self, x):
        """Nothing."""

    def encode(self, x, train=False):
        """Nothing."""

    def decode(self, z, train=False):
        """Nothing."""


@pytest.mark.heavy
def test_a_net_and_a_likelihood_of_another_module_are_used():
    config = vae.get_config("smoke")
    config.vae.net = f"{__name__}:Mine"
    task = build(config, **{"likelihood.name": f"{__name__}:LAPLACE", "likelihood.std": 0.5, "elbo.reduction": "sum"})
    state, x = start(task), images(2)
    z = call(task.outputs["encode"], state, x, sampled=True)
    y = np.asarray(call(task.outputs["decode"], state, z), np.float64)
    nll = (np.abs(y - x) / 255 / 0.5).sum((1, 2, 3))  # log(2 std) is 0
    bernoulli = call(build().outputs["log_weights"], state, x, draws=1)[:, 0]
    target, p = x / 255, y / 255
    bce = -(target * np.log(p) + (1 - target) * np.log1p(-p)).sum((1, 2, 3))
    np.testing.assert_allclose(
        call(task.outputs["log_weights"], state, x, draws=1)[:, 0], bernoulli + bce - nll, rtol=1e-4
    )


@pytest.mark.parametrize(
    ("key", "name", "message"),
    [
        ("vae.net", "WithoutLatent", "lacks 'latent'"),
        ("likelihood.name", "images", "expected a genjax.losses.variational.Likelihood"),
    ],
)
def test_what_does_not_fit_of_another_module_is_refused_by_what_it_lacks(key, name, message):
    config = vae.get_config("smoke")
    if key == "vae.net":
        config.vae = {"net": f"{__name__}:{name}"}
    else:
        config.likelihood.name = f"{__name__}:{name}"
    with pytest.raises(InputError, match=message):
        build(config)
