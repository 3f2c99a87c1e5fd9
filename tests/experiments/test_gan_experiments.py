"""The experiments on GANs: games and Gaussians against closed forms, critics against exact values; each one runs."""

import itertools
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from absl.testing import flagsaver
from helpers import run
from PIL import Image
from scipy import integrate, stats

from experiments.gans import clipping, critics, gaussians_1d, oscillation, output, vanishing
from experiments.gans import vector_fields as games
from genjax.errors import InputError
from genjax.nets.mlp import Critic

RATES = [0.05, 0.2, 0.4]
DIRACS = list(itertools.product(["minimax", "non_saturating"], [0.0, 0.3, 1.0, 2.0]))
START = np.array([0.6, -0.8])  # of length 1


def matrix(update, rate):
    """A step of the bilinear game as a matrix: the images of the unit vectors."""
    columns = [update(games.bilinear, rate, jnp.array(unit), jnp.zeros(2))[0] for unit in ([1.0, 0.0], [0.0, 1.0])]
    return np.float64(np.stack(columns, 1))


@pytest.mark.parametrize("rate", RATES)
def test_simultaneous_steps_grow_by_the_root_of_one_plus_the_squared_rate(rate):
    lengths = np.linalg.norm(games.path(games.simultaneous, games.bilinear, rate, START, 20), axis=1)
    np.testing.assert_allclose(lengths, np.sqrt(1 + rate**2) ** np.arange(21), rtol=1e-5)
    assert games.contraction_factor(games.simultaneous, games.bilinear, rate) == pytest.approx(np.sqrt(1 + rate**2))


@pytest.mark.parametrize("rate", RATES)
def test_alternating_steps_keep_the_area_and_stay_on_an_ellipse(rate):
    step = matrix(games.alternating, rate)
    np.testing.assert_allclose(step, [[1, -rate], [rate, 1 - rate**2]], rtol=1e-6)
    assert np.linalg.det(step) == pytest.approx(1, abs=1e-6)
    assert games.contraction_factor(games.alternating, games.bilinear, rate) == pytest.approx(1, abs=1e-6)
    # By hand: x^2 - rate x y + y^2 is the same before and after a step.
    x, y = np.float64(games.path(games.alternating, games.bilinear, rate, START, 500)).T
    np.testing.assert_allclose(x**2 - rate * x * y + y**2, 1 + 0.48 * rate, rtol=1e-4)


@pytest.mark.parametrize("rate", RATES)
def test_extra_gradient_contracts_by_its_factor(rate):
    # 1 + rate J + rate^2 J^2 with J^2 = -1: the eigenvalues are 1 - rate^2 +- i rate.
    expected = np.sqrt(1 - rate**2 + rate**4)
    lengths = np.linalg.norm(games.path(games.extra_gradient, games.bilinear, rate, START, 20), axis=1)
    np.testing.assert_allclose(lengths, expected ** np.arange(21), rtol=1e-5)
    assert games.contraction_factor(games.extra_gradient, games.bilinear, rate) == pytest.approx(expected)


@pytest.mark.parametrize("rate", RATES)
def test_optimistic_steps_contract_by_their_factor(rate):
    # The larger root of m^2 - (1 + 2 i rate) m + i rate has the modulus sqrt((1 + sqrt(1 - 4 rate^2)) / 2).
    expected = np.sqrt((1 + np.sqrt(1 - 4 * rate**2)) / 2)
    assert games.contraction_factor(games.optimistic, games.bilinear, rate) == pytest.approx(expected, rel=1e-5)


def test_the_quadratic_term_lets_simultaneous_steps_converge_below_the_closed_forms_rate():
    damping = 0.2

    def field(z):
        return games.bilinear(z, damping)

    np.testing.assert_allclose(games.eigenvalues(field), [-damping - 1j, -damping + 1j], atol=1e-6)
    limit = 2 * damping / (1 + damping**2)  # where |1 + rate (-damping + i)| is 1
    factors = [games.contraction_factor(games.simultaneous, field, rate) for rate in (0.9 * limit, limit, 1.1 * limit)]
    assert factors[0] < 1 < factors[2]
    assert factors[1] == pytest.approx(1, abs=1e-6)


def test_averages_of_the_closed_orbit():
    rate, decay = 0.2, 0.98
    z = np.float64(games.path(games.alternating, games.bilinear, rate, START, 4000))
    # A geometric series in the step's eigenvalue e^(i t), with cos t = 1 - rate^2 / 2: the average rotates with it.
    turn = np.exp(1j * np.arccos(1 - rate**2 / 2))
    expected = (1 - decay) / abs(turn - decay)
    late = games.exponential_average(z, decay)[2000:]
    sizes = [np.linalg.norm(some, axis=1).max() for some in (late, z[2000:])]
    assert sizes[0] / sizes[1] == pytest.approx(expected, rel=1e-2)
    means = np.linalg.norm(games.uniform_average(z), axis=1)
    # |1 + turn + ... + turn^n| <= 2 / |1 - turn|, on an ellipse with axes as 1 to sqrt((2 + rate) / (2 - rate)).
    bound = 2 / abs(1 - turn) * np.sqrt((2 + rate) / (2 - rate))
    assert (means <= 1.001 * bound / np.arange(1, len(z) + 1)).all()


@pytest.mark.parametrize(("loss", "r1"), DIRACS)
def test_eigenvalues_of_the_dirac_gan_are_those_by_hand(loss, r1):
    # arXiv:1801.04406, with f'(0) = 1/2: J = [[0, -1/2], [1/2, -r1]].
    root = np.sqrt(r1**2 / 4 - 1 / 4 + 0j)
    expected = np.sort_complex([-r1 / 2 - root, -r1 / 2 + root])
    found = np.sort_complex(games.eigenvalues(lambda z: games.dirac(z, loss, r1)))
    np.testing.assert_allclose(found, expected, atol=1e-3 if r1 == 1 else 1e-6)  # a double root at 1
    assert (found.real < 0).all() == (r1 > 0)


def test_the_wasserstein_dirac_gan_is_a_bilinear_game_at_any_place():
    # J = [[0, 1], [-2, 0]]: this critic's loss is doubled as well, although the library does not halve it.
    for at in ((0.0, 0.0), (1.0, -2.0)):
        found = games.eigenvalues(lambda z: games.dirac(z, "wasserstein"), at)
        np.testing.assert_allclose(found, [-1j * np.sqrt(2), 1j * np.sqrt(2)], atol=1e-6)


THETAS = [0.05, 0.3, 1.0]
STEPS = 600


@pytest.mark.parametrize("theta", THETAS)
def test_the_divergence_is_the_one_that_scipy_integrates(theta):
    p, q = stats.norm(0, gaussians_1d.STD), stats.norm(theta, gaussians_1d.STD)

    def density(x):
        a, b = p.pdf(x), q.pdf(x)
        m = (a + b) / 2
        return (a * np.log(a / m) if a else 0) / 2 + (b * np.log(b / m) if b else 0) / 2

    expected = integrate.quad(density, -1, theta + 1, points=[0, theta / 2, theta], limit=200)[0]
    assert gaussians_1d.jensen_shannon(theta) == pytest.approx(expected, rel=1e-6)


def test_the_divergence_saturates():
    assert gaussians_1d.jensen_shannon(0.0) == pytest.approx(0, abs=1e-12)
    assert gaussians_1d.jensen_shannon(2.0) == pytest.approx(np.log(2), abs=1e-9)


@pytest.mark.parametrize("theta", THETAS)
def test_the_minimax_gradient_at_the_optimum_is_twice_the_divergences(theta):
    # E log D + E log(1 - D) = 2 JS - log 4 at the optimal D, which counts as fixed (envelope theorem).
    step = 1e-4
    slope = (gaussians_1d.jensen_shannon(theta + step) - gaussians_1d.jensen_shannon(theta - step)) / (2 * step)
    minimax, non_saturating = gaussians_1d.optimal_slopes(theta)
    assert minimax == pytest.approx(2 * slope, rel=1e-4, abs=1e-8)
    assert minimax + non_saturating == pytest.approx(theta / gaussians_1d.STD**2)


def test_the_penalized_optimum_of_distributions_far_apart():
    # For a slope s between points a distance d apart: s d - weight (s - 1)^2 is greatest at s = 1 + d / (2 weight).
    value, slope = gaussians_1d.penalized(2.0, 10.0, std=1e-2)
    assert value == pytest.approx(2 * (1 + 2 / 20), rel=1e-3)
    # A heavy penalty leaves the distance and the slope 1.
    assert gaussians_1d.penalized(1.0, 1e6) == pytest.approx((1, 1), rel=1e-5)
    assert 1 < slope < 1.11


def test_interpolates_have_the_density_of_their_histogram():
    rng = np.random.default_rng(0)
    u, (a, b) = rng.random(200_000), gaussians_1d.STD * rng.standard_normal((2, 200_000))
    counts, edges = np.histogram(u * (a + 0.5) + (1 - u) * b, 20, (-0.3, 0.8))
    middle = (edges[1:] + edges[:-1]) / 2
    density = gaussians_1d._interpolates(middle, 0.5, gaussians_1d.STD)
    np.testing.assert_allclose(counts / 200_000 / np.diff(edges), density, atol=0.06)


@pytest.fixture(scope="module")
def few():
    """The measurements after a few steps at two distances."""
    return vanishing.study((0.1, 1.0), seeds=2, steps=STEPS)


@pytest.mark.slow
def test_the_minimax_gradient_vanishes_and_the_others_do_not(few):
    gradients = {name: g.mean(1) for name, g in few.gradients.items()}
    assert gradients["minimax"][1] < 0.05 * gradients["minimax"][0]
    assert gradients["non-saturating"][1] > 1
    for name in ("penalty 10", "penalty 30"):
        assert gradients[name] == pytest.approx([1, 1], abs=0.1)


@pytest.mark.slow
def test_a_discriminators_value_is_never_above_the_divergence(few):
    for theta, values in zip((0.1, 1.0), few.values["discriminator"], strict=True):
        assert (values + np.log(2) < gaussians_1d.jensen_shannon(theta) + 0.01).all()  # 0.01: a mean, no expectation


def test_seeds_and_distributions_do_not_depend_on_each_other():
    net, kind = Critic(widths=(8,)), critics.Kind("minimax")
    many = critics.train(kind, net, vanishing.pairs, jnp.array([0.5, 1.0]), seeds=2, steps=5)[1]
    alone = critics.train(kind, net, vanishing.pairs, jnp.array([1.0]), seeds=1, steps=5)[1]
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a[1, 0], b[0, 0], atol=1e-5), many, alone)


@pytest.mark.slow
def test_a_penalized_critics_value_is_within_five_percent_of_scipys_distance():
    found = vanishing.study(vanishing.THETAS, seeds=3, steps=1500)
    rows = vanishing.summary(vanishing.THETAS, found)
    errors = {row["theta"]: row["relative errors"]["penalty 30"] for row in rows}
    assert max(max(map(abs, error)) for error in errors.values()) < 0.05, errors
    for row in rows:  # at weight 10 the value exceeds the distance as the optimum does
        assert row["values"]["penalty 10"] == pytest.approx(3 * [row["exact"]["penalty 10"]], rel=0.01, abs=1e-3)
    far = rows[-1]["gradients"]
    assert far["minimax"][2] < 1e-5
    assert far["penalty 30"] == pytest.approx([1, 1, 1], abs=0.05)


def test_initial_weights_are_within_the_bound_and_clipped_ones_stay_there():
    net, theta = Critic(widths=(8,)), jnp.array([0.5])
    for cut in (False, True):
        kind = critics.Kind("wasserstein", clip=0.02, cut=cut, optimizer="rmsprop")
        before, after = critics.train(kind, net, vanishing.pairs, theta, seeds=1, steps=5)
        largest = [max(float(jnp.abs(w).max()) for w in jax.tree.leaves(some)) for some in (before, after)]
        assert max(largest) <= 0.02 * (1 + 1e-6)
        kernel = np.abs(before["Dense_0"]["kernel"])
        assert (kernel > 0.99 * 0.02).sum() == (8 if cut else 1)  # scaled: only the largest one is at the bound


def test_slopes_through_layers_are_products_of_the_layers_that_follow():
    net = Critic(widths=(5, 4), activation="linear")
    x = jax.random.normal(jax.random.key(0), (3, 2))
    params = net.init(jax.random.key(1), x)["params"]
    second, last = (np.float64(params[f"Dense_{i}"]["kernel"]) for i in (1, 2))
    expected = [np.linalg.norm(second @ last), np.linalg.norm(last), 1]
    np.testing.assert_allclose(clipping.layer_slopes(net, params, x), expected, rtol=1e-5)


def test_the_exact_distance_between_points_and_their_shift(monkeypatch):
    x = np.random.default_rng(0).random((500, 2)).astype(np.float32)
    monkeypatch.setattr(clipping, "pairs", lambda x, key, count: (x, x[::-1] + jnp.array([3.0, 4.0])))
    assert clipping.exact_distance(x) == pytest.approx(5, rel=1e-5)  # a shift is its own best assignment


def test_points_are_scaled_as_in_the_source():
    spread = {name: clipping.points(name).std(0) for name in clipping.DATA}
    # arXiv:1704.00028's code divides by what it calls the standard deviation: all are about 1.
    assert np.allclose(list(spread.values()), 1, atol=0.15)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["oscillation", "vanishing", "clipping"])
def test_each_experiment_writes_its_numbers_and_figures(name, tmp_path, monkeypatch):
    monkeypatch.setattr(vanishing, "THETAS", (0.1, 1.0))
    monkeypatch.setattr(clipping, "WIDE", Critic(widths=(8, 8), activation="relu"))
    monkeypatch.setattr(clipping, "DEEP", Critic(widths=(8, 8), activation="relu"))
    monkeypatch.setattr(clipping, "EXAMPLES", 50)
    module = {"oscillation": oscillation, "vanishing": vanishing, "clipping": clipping}[name]
    _flags(module)
    with flagsaver.flagsaver(out=str(tmp_path), steps=STEPS, **({} if name == "oscillation" else {"seeds": 2})):
        assert module.main() == 0
    assert json.loads((tmp_path / f"{name}.json").read_text())["steps"] == STEPS
    images = sorted(tmp_path.glob("*.png"))
    assert len(images) == (2 if name == "clipping" else 1)
    for path in images:
        assert np.asarray(Image.open(path)).std() > 5


def _flags(module):
    """Replace the flags of the previous module by this one's."""
    for flag in ("out", "steps", "seeds", "rate"):
        if flag in module.FLAGS:
            delattr(module.FLAGS, flag)
    module.define_flags()
    module.FLAGS.mark_as_parsed()


def test_a_missing_folder_is_refused_before_anything_is_computed(tmp_path):
    run("experiments.gans.vanishing").assert_refused("--out is missing")
    run("experiments.gans.oscillation", f"--out={tmp_path}", "--rate=3").assert_refused("rate")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="expected a folder"):
        output.folder(str(tmp_path / "file"))


@pytest.mark.slow
@pytest.mark.slow
def test_clipped_weights_pile_up_and_only_a_penalty_carries_gradients_through_twelve_layers():
    x = {name: clipping.points(name) for name in clipping.DATA}
    found = clipping.Surfaces.train(clipping.SURFACES["clipping"], x, seeds=1, steps=1500).summary(x)
    for row in found.values():
        assert row["share at the bound, before"][0] < 0.01
        assert row["share at the bound"][0] > 0.5
    first = {
        name: clipping.through_layers(kind, x["Swiss roll"], seeds=1, steps=1500)[1][0, 0]
        for name, kind in clipping.LAYERS.items()
    }
    assert first["clipping, c = 0.1"] > 1e3
    assert first["clipping, c = 0.01"] < 1e-10
    assert first["clipping, c = 0.001"] < 1e-20
    assert 0.1 < first["gradient penalty"] < 10
