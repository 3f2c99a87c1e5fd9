"""The autoencoders' defining properties."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import call, config_of
from scipy.linalg import subspace_angles

from genjax import data, tasks
from genjax.engine.loop import shapes
from genjax.errors import InputError
from genjax.losses import sparsity
from genjax.nets.autoencoder import Dense, Tied
from genjax.nets.conv_autoencoder import Convolutional
from genjax.ops import corruption
from genjax.run.fit import fit

KEY = jax.random.key(0)
SHAPE = (28, 28, 1)
X = jax.random.uniform(jax.random.key(1), (16, 28, 28, 1))


def count(variables):
    return sum(leaf.size for leaf in jax.tree.leaves(variables))


# -- linear: PCA


def trained(config):
    """A config's task and its last state."""
    source = data.load(config.data)
    task = tasks.build(config, source.shape)
    (*_, last) = fit(task, source, config.seed, (config.steps,))
    return task, last.state


@pytest.fixture(scope="module")
def linear():
    """The linear autoencoder, trained; its decoder's plane, its reconstructions and the data."""
    task, state = trained(config_of("ae_linear_pca", ""))
    x = data.load(config_of("ae_linear_pca", "").data).read(np.arange(1000)).astype(np.float64)
    return (
        np.asarray(state.nets["autoencoder"].params["decoder_0"]["kernel"]),
        call(task.outputs["reconstruct"], state, x),
        x,
    )


@pytest.mark.heavy
def test_a_linear_autoencoder_finds_the_plane_of_pca(linear):
    kernel, _, x = linear
    _, _, axes = np.linalg.svd(x - x.mean(0), full_matrices=False)
    assert subspace_angles(kernel.T, axes[:2].T).max() < 1e-5  # radians


@pytest.mark.heavy
def test_a_linear_autoencoder_has_the_error_of_pca(linear):
    _, y, x = linear
    singular = np.linalg.svd(x - x.mean(0), compute_uv=False)
    assert np.sum((np.asarray(y) - x) ** 2) == pytest.approx(singular[2] ** 2, rel=1e-3)


@pytest.mark.heavy
def test_a_linear_autoencoder_agrees_with_scikit_learn(linear):
    pca = pytest.importorskip("sklearn.decomposition", reason="scikit-learn is of the bench extra").PCA(2)
    kernel, y, x = linear
    restored = pca.inverse_transform(pca.fit_transform(x))
    assert subspace_angles(kernel.T, pca.components_.T).max() < 1e-3
    assert np.mean((np.asarray(y) - x) ** 2) == pytest.approx(np.mean((restored - x) ** 2), rel=1e-3)


# -- nets


def test_the_stacked_autoencoder_has_the_parameters_counted_by_hand():
    found = count(jax.eval_shape(Dense((28, 28, 1)).init, KEY, X))
    assert found == 784 * 100 + 100 + 100 * 30 + 30 + 30 * 100 + 100 + 100 * 784 + 784


def test_tied_weights_are_half_the_kernels():
    tied, dense = (count(jax.eval_shape(net((28, 28, 1)).init, KEY, X)) for net in (Tied, Dense))
    assert dense - tied == 784 * 100 + 100 * 30


@pytest.mark.heavy
def test_tied_kernels_have_the_sum_of_the_gradients_of_both_uses():
    tied, dense = Tied((6,), (4, 3)), Dense((6,), (4, 3))
    x = jax.random.normal(KEY, (5, 6))
    own = call(tied.init, KEY, x)["params"]
    untied = {f"encoder_{i}": {"kernel": own[f"kernel_{i}"], "bias": own[f"encoder_bias_{i}"]} for i in (0, 1)}
    untied |= {f"decoder_{1 - i}": {"kernel": own[f"kernel_{i}"].T, "bias": own[f"decoder_bias_{i}"]} for i in (0, 1)}

    def loss(net):
        return lambda params: jnp.sum(call(net.apply, {"params": params}, x) ** 2)

    np.testing.assert_allclose(
        call(tied.apply, {"params": own}, x), call(dense.apply, {"params": untied}, x), rtol=1e-5
    )
    found, expected = jax.grad(loss(tied))(own), jax.grad(loss(dense))(untied)
    for i in (0, 1):
        both = expected[f"encoder_{i}"]["kernel"] + expected[f"decoder_{1 - i}"]["kernel"].T
        np.testing.assert_allclose(found[f"kernel_{i}"], both, rtol=1e-4, atol=1e-5)
        assert np.abs(expected[f"decoder_{1 - i}"]["kernel"]).max() > 0


@pytest.mark.heavy
@pytest.mark.parametrize("up", ["transposed", "upsample"])
@pytest.mark.parametrize("kernel", [3, 4, 5])
@pytest.mark.parametrize("side", [(28, 28), (8, 13), (15, 9)])
def test_the_convolutional_decoder_restores_every_size(up, kernel, side):
    net = Convolutional((*side, 3), (4, 5, 6), kernel, up=up)
    x = jnp.zeros((2, *side, 3))
    variables = jax.eval_shape(net.init, KEY, x)
    latents = jax.eval_shape(lambda v: net.apply(v, x, method="encode"), variables)
    assert latents.shape == (2, side[0] // 8, side[1] // 8, 6)
    assert jax.eval_shape(net.apply, variables, x).shape == x.shape


@pytest.mark.heavy
def test_the_convolutional_net_is_the_textbooks():
    """16-32-64 maps of 3x3 to 3x3x64; back by a stroke without padding and two with it, as in Keras."""
    found = jax.tree.map(jnp.shape, Convolutional((28, 28, 1)).init(KEY, X)["params"])
    assert count(Convolutional((28, 28, 1)).init(KEY, X)) == sum(
        9 * i * o + o for i, o in ((1, 16), (16, 32), (32, 64), (64, 32), (32, 16), (16, 1))
    )
    assert found["decoder_0"]["kernel"] == (3, 3, 32, 64)


def test_images_too_small_to_be_halved_are_refused():
    with pytest.raises(InputError, match="7x7 with kernel=3: expected sides of at least 8"):
        Convolutional((7, 7, 1)).init(KEY, jnp.zeros((1, 7, 7, 1)))


# -- penalties and corruptions


@pytest.mark.heavy
def test_the_kl_penalty_is_the_divergence_of_bernoulli_distributions():
    z = jnp.array([[0.2, 0.9], [0.4, 0.7]])  # means 0.3 and 0.8
    expected = sum(0.1 * np.log(0.1 / m) + 0.9 * np.log(0.9 / (1 - m)) for m in (0.3, 0.8))
    assert float(sparsity.kl(z, 0.1)) == pytest.approx(expected, rel=1e-6)
    assert float(sparsity.kl(jnp.full((4, 3), 0.1), 0.1)) == pytest.approx(0, abs=1e-6)
    assert np.isfinite(jax.grad(lambda z: sparsity.kl(z, 0.1))(jnp.zeros((2, 2)))).all()


def test_the_l1_penalty_is_a_mean_over_examples_of_sums_over_latents():
    assert float(sparsity.l1(jnp.array([[1.0, -2.0], [0.5, 0.0]]))) == pytest.approx(1.75)


@pytest.mark.heavy
def test_mean_activity_moves_to_the_target():
    """The defining property: without the penalty sigmoid latents are half active, with it a tenth."""
    given = {"steps": 400, "autoencoder__widths": (50, 60)}
    means = {}
    for weight in (0.0, 0.05):
        task, state = trained(config_of("ae_sparse_kl", "", **given, penalty__weight=weight))
        x = data.load(config_of("ae_sparse_kl", "").data).read(np.arange(500))
        means[weight] = np.asarray(call(task.outputs["encode"], state, x)).mean(0)
    assert means[0.0].mean() > 0.25
    assert np.abs(means[0.05] - 0.1).mean() < 0.03


@pytest.mark.heavy
def test_noise_has_its_standard_deviation_and_is_keyed_per_example():
    x = jnp.zeros((50, 20, 20, 1))
    noisy = corruption.gaussian(KEY, x, 0.3)
    assert float(noisy.std()) == pytest.approx(0.3, rel=0.02)
    np.testing.assert_array_equal(corruption.gaussian(KEY, x[:7], 0.3), noisy[:7])


def test_dropout_keeps_the_mean():
    x = jnp.ones((50, 20, 20, 1))
    dropped = corruption.dropout(KEY, x, 0.75)
    assert set(np.unique(dropped)) == {0.0, 4.0}
    assert float(dropped.mean()) == pytest.approx(1, rel=0.03)


@pytest.mark.heavy
@pytest.mark.parametrize(("name", "amount"), [("gaussian", 0.3), ("dropout", 0.5)])
def test_the_loss_compares_the_clean_image_with_the_reconstruction_of_the_corrupted_one(name, amount):
    task = tasks.build(config_of(f"ae_denoising_{name}", corruption__amount=amount), (28, 28, 1))
    state, x = call(task.init, KEY), (X * 255).astype(jnp.uint8)
    _, metrics = jax.jit(task.phases[0].step)(state, {"x": x[None]}, KEY)
    seen = corruption.CORRUPTIONS[name](jax.random.split(KEY)[0], x / 255, amount)
    y = call(task.outputs["reconstruct"], state, seen) / 255  # which corrupts nothing
    bce = -(x / 255 * jnp.log(y) + (1 - x / 255) * jnp.log1p(-y)).mean()
    assert float(metrics["loss"]) == pytest.approx(float(bce), rel=1e-5)
    assert float(jnp.abs(call(task.outputs["corrupt"], state, x) - x / 255).mean()) > 0.1


# -- configs


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("loss", "mse", "loss='mse' with output='sigmoid'"),
        ("loss", "bse", "no 'bse'"),
        ("corruption.name", "gausian", "did you mean 'gaussian'"),
        ("corruption.amount", -0.1, "corruption.amount=-0.1"),
        ("penalty.name", "l2", "no 'l2'"),
        ("penalty.weight", -1.0, "penalty.weight=-1.0"),
        ("penalty.target", 1.0, "target=1.0"),
        ("autoencoder.net", "dence", "did you mean 'dense'"),
        ("autoencoder.latent_activation", "sigmoyd", "did you mean 'sigmoid'"),
        ("autoencoder.widths", (8, 0), "autoencoder.widths=(8, 0): expected sizes of at least 1"),
        ("autoencoder.widths", (), "widths=(): expected at least one"),
    ],
)
def test_choices_that_do_not_exist_or_fit_are_named(key, value, said):
    config = config_of("ae_stacked")
    if key == "autoencoder.latent_activation":
        config.autoencoder.latent_activation = value
    else:
        config.update_from_flattened_dict({key: value})
    with pytest.raises(InputError) as error:
        tasks.build(config, (28, 28, 1))
    assert said in str(error.value)


def test_every_autoencoder_encodes_decodes_and_reconstructs():
    for name in ("ae_stacked", "ae_tied", "ae_conv", "ae_sparse_kl"):
        task = tasks.build(config_of(name), (28, 28, 1))
        state, x = shapes(task), jax.ShapeDtypeStruct((4, 28, 28, 1), jnp.uint8)
        z = jax.eval_shape(task.outputs["encode"], state, x)
        assert jax.eval_shape(task.outputs["decode"], state, z).shape == (4, 28, 28, 1)
        assert jax.eval_shape(task.outputs["reconstruct"], state, x).shape == (4, 28, 28, 1)


# -- other modules


def huber(y, x):
    """A loss of another module."""
    return jnp.where(jnp.abs(y - x) < 0.5, jnp.square(y - x), jnp.abs(y - x) - 0.25)


def negative(key, x, amount):
    """A corruption of another module."""
    return 1 - x


def largest(z, target):
    """A penalty of another module."""
    return jnp.abs(z).max()


class NoDecoder(nn.Module):
    """Half an autoencoder."""

    shape: tuple[int, ...]
    output: str = "sigmoid"

    def __call__(self, x):
        """Nothing."""

    def encode(self, x, train=False):
        """Nothing."""


def test_a_loss_a_corruption_and_a_penalty_of_another_module_are_used():
    own = {key: f"{__name__}:{name}" for key, name in (("loss", "huber"), ("corruption__name", "negative"))}
    task = tasks.build(config_of("ae_stacked", **own, penalty__name=f"{__name__}:largest", penalty__weight=2.0), SHAPE)
    state, x = call(task.init, KEY), (X * 255).astype(jnp.uint8)
    _, metrics = jax.jit(task.phases[0].step)(state, {"x": x[None]}, KEY)
    inverted = 1 - x / 255
    np.testing.assert_allclose(call(task.outputs["corrupt"], state, x), inverted, atol=1e-6)
    y = call(task.outputs["reconstruct"], state, inverted) / 255  # after the activation
    activity = jnp.abs(call(task.outputs["encode"], state, inverted)).max()
    np.testing.assert_allclose(metrics["loss"], huber(y, x / 255).mean() + 2 * activity, rtol=1e-5)


@pytest.mark.parametrize(
    ("key", "name", "message"),
    [
        ("loss", "count", r"expected a function \(y, x\)"),
        ("corruption__name", "huber", r"expected a function \(key, x, amount\)"),
        ("penalty__name", "count", r"expected a function \(z, target\)"),
        ("autoencoder__net", "NoDecoder", "lacks a method that can be called as decode"),
    ],
)
def test_what_does_not_fit_of_another_module_is_refused(key, name, message):
    config = config_of("ae_stacked", **{key: f"{__name__}:{name}"} if key != "autoencoder__net" else {})
    if key == "autoencoder__net":
        config.autoencoder = {"net": f"{__name__}:{name}"}
    with pytest.raises(InputError, match=message):
        tasks.build(config, SHAPE)


def test_squared_errors_are_of_activated_outputs():
    """They are what `reconstruct` gives."""
    config = config_of("ae_stacked", loss="mse")
    config.autoencoder.output = "tanh"
    task = tasks.build(config, SHAPE)
    state, x = call(task.init, KEY), (X * 255).astype(jnp.uint8)
    _, metrics = jax.jit(task.phases[0].step)(state, {"x": x[None]}, KEY)
    y = call(task.outputs["reconstruct"], state, x) / 255
    np.testing.assert_allclose(metrics["loss"], jnp.square(y - x / 255).mean(), rtol=1e-5)
