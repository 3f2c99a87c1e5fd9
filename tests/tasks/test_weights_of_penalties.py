"""Weights beside the critic's loss are those of the papers: `penalty.r1` is gamma, whatever share our loss is."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import config_of

from genjax import tasks
from genjax.losses.adversarial import LOSSES
from genjax.ops import noise
from genjax.tasks.adversarial.setup import active_penalties

B, GAMMA, INTERVAL, RATE, BETA = 8, 10.0, 3, 0.01, 0.99
X = np.random.default_rng(0).normal(2, 1, (B, 2)).astype(np.float32)
Z = np.random.default_rng(1).normal(size=(B, 3)).astype(np.float32)


def adam(betas, rate):
    """Adam in NumPy, arXiv:1412.6980, algorithm 1."""
    state = {"t": 0, "m": 0.0, "v": 0.0}

    def update(w, gradient):
        state["t"] += 1
        for name, beta, value in (("m", betas[0], gradient), ("v", betas[1], gradient**2)):
            state[name] = beta * state[name] + (1 - beta) * value
        m, v = (state[name] / (1 - beta ** state["t"]) for name, beta in zip("mv", betas, strict=True))
        return w - rate * m / np.sqrt(v)

    return update


def test_six_steps_follow_the_official_equations_with_gamma_10(monkeypatch):
    """D: softplus(-D(x)) + softplus(D(G(z))), then gamma / 2 |dD/dx|^2 every third step, then G: softplus(-D(G(z))).

    Source: arXiv:1912.04958, appendix B; arXiv:1801.04406, eq. 9. Linear nets: D(x) = x v + c, G(z) = z w + b, so
    that the slope of D is v. The penalty's gradient is multiplied by its interval, Adam's constants are raised to
    interval / (interval + 1).
    """
    monkeypatch.setattr(noise, "normal", lambda key, n, shape: jnp.asarray(Z[:n]))
    config = config_of("gan")
    config.latent, config.loss.name = 3, "non_saturating"
    config.generator = {"net": "mlp", "widths": (), "output": "linear"}
    config.critic = {"net": "mlp", "widths": ()}
    for net in ("generator", "critic"):
        config.optimizer[net].update(name="adam", learning_rate=RATE, b1=0.0, b2=BETA, epsilon=1e-12)
    config.penalty.update(r1=GAMMA, interval=INTERVAL, separate_step=True)
    task = tasks.build(config, (2,))
    state = jax.jit(task.init)(jax.random.key(0))

    def weights(state):
        params = [state.nets[net].params["Dense_0"] for net in ("generator", "critic")]
        return [np.float64(leaf) for p in params for leaf in (p["kernel"], p["bias"])]

    w, b, v, c = weights(state)
    share = INTERVAL / (INTERVAL + 1)
    of_critic = [adam((0.0, BETA**share), RATE * share) for _ in range(2)]
    of_generator = [adam((0.0, BETA), RATE) for _ in range(2)]
    step = jax.jit(task.phases[0].step)
    for number in range(6):
        state, metrics = step(state, {"x": X[None]}, jax.random.key(number))
        fake = Z @ w + b
        on_real, on_fake = (1 / (1 + np.exp(sign * (x @ v + c))) for sign, x in ((1, X), (-1, fake)))
        np.testing.assert_allclose(
            2 * metrics["critic/loss"], -np.log(1 - on_real).mean() - np.log(1 - on_fake).mean(), rtol=1e-4
        )
        v, c = (
            of_critic[0](v, (on_fake * fake - on_real * X).mean(0)[:, None]),
            of_critic[1](c, (on_fake - on_real).mean(0)),
        )
        if number % INTERVAL == 0:
            v, c = of_critic[0](v, INTERVAL * GAMMA * v), of_critic[1](c, 0 * c)
        missed = -1 / (1 + np.exp(fake @ v + c))  # of softplus(-D)
        w, b = of_generator[0](w, Z.T @ missed @ v.T / B), of_generator[1](b, (missed * v.T).mean(0))
        for ours, expected in zip(weights(state), (w, b, v, c), strict=True):
            np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_the_share_of_a_loss_is_that_of_two_expectations(name):
    """At D = 0 a loss of two expectations E f(0) + E g(0) is f(0) + g(0), by its source's equation."""
    at_zero = {
        "minimax": 2 * np.log(2),  # arXiv:1406.2661, eq. 1
        "non_saturating": 2 * np.log(2),
        "wasserstein": 0.0,  # arXiv:1701.07875, eq. 2
        "hinge": 2.0,  # arXiv:1802.05957, eq. 16
        "least_squares": 0.5,  # arXiv:1611.04076, eq. 9, which has the half
        "relativistic_average": 2 * np.log(2),  # arXiv:1807.00734, eq. 14
        "relativistic_hinge": 2.0,
    }
    value = LOSSES[name].critic(jnp.zeros(4), jnp.zeros(4))
    np.testing.assert_allclose(value, LOSSES[name].share * at_zero[name], rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "variant", "published"),
    [
        ("stylegan", "ffhq", {"r1": 10.0}),  # arXiv:1812.04948, appendix C
        ("stylegan2", "ffhq", {"r1": 10.0}),  # arXiv:1912.04958, appendix B
        ("wgan_gp", "", {"gradient_penalty": 10.0}),  # arXiv:1704.00028, algorithm 1
        ("progan", "", {"gradient_penalty": 10.0}),  # arXiv:1710.10196, A.1
    ],
)
def test_published_weights_act_as_published(name, variant, published):
    config = config_of(name, variant=variant) if variant else config_of(name)
    penalties = active_penalties(config)
    assert {key: penalty.weight / LOSSES[config.loss.name].share for key, penalty in penalties.items()} == published
