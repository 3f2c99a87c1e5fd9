"""Vanishing gradients and the earth mover: python -m experiments.gans.vanishing --out=runs/figures

Reals are N(0, 0.1), fakes N(theta, 0.1), for a range of theta, which is the one weight of the generator g(z) = 0.1 z +
theta. For each theta, critics are trained to near optimality: a discriminator, and Wasserstein critics under a gradient
penalty and under clipping. Their values are compared with the exact divergence and distance; d loss / d theta is the
generator's gradient. Writes vanishing.png and vanishing.json.

Source: arXiv:1701.07875, figures 1 and 2; arXiv:1701.04862, figure 2.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from absl import flags
from scipy.stats import wasserstein_distance

from experiments.gans import gaussians_1d, output
from experiments.gans.critics import Kind, train
from experiments.gans.vanishing_figure import draw
from genjax.cli import entry
from genjax.losses.adversarial import LOSSES
from genjax.nets.mlp import Critic

FLAGS = flags.FLAGS

THETAS = 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0
NET = Critic(widths=(32, 32), activation="relu")
BATCH = 128
EXAMPLES = 10_000  # values and gradients are means over this many
SHOWN = 1.0  # theta of the panel that shows the critics
GRID = np.linspace(-0.5, 1.5, 201)

KINDS = {
    "discriminator": Kind("minimax"),
    "penalty 10": Kind("wasserstein", penalty=10.0),
    "penalty 30": Kind("wasserstein", penalty=30.0),
    "penalty 100": Kind("wasserstein", penalty=100.0),
    "clipping": Kind("wasserstein", clip=0.1, optimizer="rmsprop"),
}
GENERATORS = {
    "minimax": ("discriminator", "minimax"),
    "non-saturating": ("discriminator", "non_saturating"),
    "penalty 10": ("penalty 10", "wasserstein"),
    "penalty 30": ("penalty 30", "wasserstein"),
    "penalty 100": ("penalty 100", "wasserstein"),
    "clipping": ("clipping", "wasserstein"),
}
"""Name of a gradient -> the critic and the generator loss that give it."""


class Measurements(NamedTuple):
    """Results by name of critic: values and gradients [thetas, seeds], and logits over GRID [seeds, x] at SHOWN."""

    values: Mapping[str, np.ndarray]
    gradients: Mapping[str, np.ndarray]
    curves: Mapping[str, np.ndarray]


def define_flags() -> None:
    """The flags of this entry point."""
    output.define_flags()
    flags.DEFINE_integer("seeds", 3, "Number of critics of each kind and theta.", lower_bound=1)
    flags.DEFINE_integer("steps", 1500, "Number of updates of each critic.", lower_bound=1)


def main() -> int:
    """Train and evaluate the critics, write the figure and its numbers; returns the exit code."""
    folder = output.folder(FLAGS.out)
    measured = study(THETAS, FLAGS.seeds, FLAGS.steps)
    rows = summary(THETAS, measured)
    numbers = {
        "std": gaussians_1d.STD,
        "seeds": FLAGS.seeds,
        "steps": FLAGS.steps,
        "batch": BATCH,
        "examples": EXAMPLES,
    }
    numbers["kinds"] = {name: kind._asdict() for name, kind in KINDS.items()}
    figure = draw(rows, GRID, SHOWN, measured.curves)
    output.save(folder, ("vanishing", numbers | {"rows": rows}), {"vanishing": figure})
    return 0


def pairs(theta, key):
    """A batch of reals and one of fakes. Shapes: -> [BATCH, 1], [BATCH, 1]."""
    real, fake = gaussians_1d.STD * jax.random.normal(key, (2, BATCH, 1))
    return real, fake + theta


def study(thetas: Sequence[float], seeds: int, steps: int) -> Measurements:
    """Train critics of every kind at every theta and evaluate them on fresh examples."""
    theta = jnp.asarray(thetas, jnp.float32)
    params = {name: train(kind, NET, pairs, theta, seeds, steps)[1] for name, kind in KINDS.items()}
    z = gaussians_1d.STD * jax.random.normal(jax.random.key(0), (2, EXAMPLES, 1))
    shown = int(np.argmin(np.abs(np.asarray(thetas) - SHOWN)))
    return Measurements(
        {name: np.asarray(_values(kind.loss, params[name], theta, z), float) for name, kind in KINDS.items()},
        {name: np.asarray(_gradients(loss, params[by], theta, z), float) for name, (by, loss) in GENERATORS.items()},
        {name: np.asarray(_curves(jax.tree.map(lambda w: w[shown], p))) for name, p in params.items()},
    )


def _logits(params, x):
    return NET.apply({"params": params}, x)


@partial(jax.jit, static_argnums=0)
def _values(loss, params, thetas, z):
    """The negated critic loss. Shapes: params [T, seeds, ...], thetas [T], z [2, N, 1] -> [T, seeds]."""

    def value(params, theta):
        return -LOSSES[loss].critic(_logits(params, z[0]), _logits(params, z[1] + theta))

    return jax.vmap(jax.vmap(value, (0, None)))(params, thetas)


@partial(jax.jit, static_argnums=0)
def _gradients(loss, params, thetas, z):
    """|d loss / d theta| of the generator for a fixed critic. Shapes: as for `_values`."""

    def value(theta, params):
        return LOSSES[loss].generator(_logits(params, z[0]), _logits(params, z[1] + theta))

    return jnp.abs(jax.vmap(jax.vmap(jax.grad(value), (None, 0)))(thetas, params))


@jax.jit
def _curves(params):
    """The critics' logits over GRID. Shapes: params [seeds, ...] -> [seeds, x]."""
    return jax.vmap(lambda params: _logits(params, jnp.asarray(GRID, jnp.float32)[:, None]))(params)


def summary(thetas: Sequence[float], measured: Measurements) -> list[dict[str, Any]]:
    """One row per theta: exact values, and each critic's value and gradient as [mean, min, max] over seeds.

    The value of a discriminator is given as the divergence that it estimates, log 2 - its cross-entropy.
    """
    z = gaussians_1d.STD * np.asarray(jax.random.normal(jax.random.key(0), (2, EXAMPLES)), float)
    rows = []
    for i, theta in enumerate(thetas):
        scipy = float(wasserstein_distance(z[0], z[1] + theta))
        values = {name: v[i] + (np.log(2) if name == "discriminator" else 0) for name, v in measured.values.items()}
        minimax, non_saturating = gaussians_1d.optimal_slopes(theta)
        penalized = {name: gaussians_1d.penalized(theta, kind.penalty) for name, kind in KINDS.items() if kind.penalty}
        rows.append(
            {
                "theta": theta,
                "exact": {"jensen_shannon": gaussians_1d.jensen_shannon(theta), "wasserstein": theta, "scipy": scipy}
                | {name: value for name, (value, _) in penalized.items()},
                "exact gradients": {"minimax": minimax, "non-saturating": non_saturating}
                | {name: slope for name, (_, slope) in penalized.items()},
                "values": {name: spread(v) for name, v in values.items()},
                "relative errors": {name: spread(values[name] / scipy - 1) for name in penalized},
                "factor of clipping": spread(values["clipping"] / scipy),
                "gradients": {name: spread(g[i]) for name, g in measured.gradients.items()},
            }
        )
    return rows


def spread(values: np.ndarray) -> list[float]:
    """Mean, minimum and maximum."""
    return [float(np.mean(values)), float(np.min(values)), float(np.max(values))]


if __name__ == "__main__":
    define_flags()
    entry.run(main)
