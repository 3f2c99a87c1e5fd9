"""Vanishing gradients and the earth mover: python -m experiments.gans.vanishing --out=runs/figures

Reals are N(0, 0.1), fakes N(theta, 0.1), for a range of theta, which is the one weight of the generator g(z) = 0.1 z +
theta. For each, critics are trained to near optimality: a discriminator, Wasserstein critics under a gradient penalty
and under clipping. Their values are compared with the exact divergence and distance, and d loss / d theta is what the
generator would be told. Writes vanishing.png and vanishing.json.

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

from experiments.gans import laws, output
from experiments.gans.critics import Kind, train
from experiments.gans.vanishing_figure import draw
from genjax.cli import entry
from genjax.losses.adversarial import LOSSES
from genjax.nets.mlp import Critic

FLAGS = flags.FLAGS

THETAS = 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0
NET = Critic(widths=(32, 32), activation="relu")
BATCH = 128
JUDGED = 10_000  # examples that values and gradients are means of
SHOWN = 1.0  # theta of the panel with the critics themselves
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
"""Whose gradient -> by which critic and which generator's loss."""


class Found(NamedTuple):
    """Of each critic by name: [thetas, seeds] values and gradients, and curves [seeds, x] at theta SHOWN."""

    values: Mapping[str, np.ndarray]
    gradients: Mapping[str, np.ndarray]
    curves: Mapping[str, np.ndarray]


def define_flags() -> None:
    """The flags of this entry point."""
    output.define_flags()
    flags.DEFINE_integer("seeds", 3, "Critics of each kind and theta.", lower_bound=1)
    flags.DEFINE_integer("steps", 1500, "Updates of each critic.", lower_bound=1)


def main() -> int:
    """Train, judge, draw, write; the exit code."""
    where = output.folder(FLAGS.out)
    found = study(THETAS, FLAGS.seeds, FLAGS.steps)
    rows = summary(THETAS, found)
    about = {"std": laws.STD, "seeds": FLAGS.seeds, "steps": FLAGS.steps, "batch": BATCH, "judged": JUDGED}
    about["kinds"] = {name: kind._asdict() for name, kind in KINDS.items()}
    output.save(where, ("vanishing", about | {"rows": rows}), {"vanishing": draw(rows, GRID, SHOWN, found.curves)})
    return 0


def pairs(theta, key):
    """A batch of reals and one of fakes. Shapes: -> [BATCH, 1], [BATCH, 1]."""
    real, fake = laws.STD * jax.random.normal(key, (2, BATCH, 1))
    return real, fake + theta


def study(thetas: Sequence[float], seeds: int, steps: int) -> Found:
    """Train every kind at every theta and judge it on fresh examples."""
    at = jnp.asarray(thetas, jnp.float32)
    params = {name: train(kind, NET, pairs, at, seeds, steps)[1] for name, kind in KINDS.items()}
    z = laws.STD * jax.random.normal(jax.random.key(0), (2, JUDGED, 1))
    shown = int(np.argmin(np.abs(np.asarray(thetas) - SHOWN)))
    return Found(
        {name: np.asarray(_values(kind.loss, params[name], at, z), float) for name, kind in KINDS.items()},
        {name: np.asarray(_gradients(loss, params[by], at, z), float) for name, (by, loss) in GENERATORS.items()},
        {name: np.asarray(_curves(jax.tree.map(lambda w: w[shown], p))) for name, p in params.items()},
    )


def _judge(params, x):
    return NET.apply({"params": params}, x)


@partial(jax.jit, static_argnums=0)
def _values(loss, params, thetas, z):
    """What critics maximize. Shapes: params [T, seeds, ...], thetas [T], z [2, N, 1] -> [T, seeds]."""

    def value(params, theta):
        return -LOSSES[loss].critic(_judge(params, z[0]), _judge(params, z[1] + theta))

    return jax.vmap(jax.vmap(value, (0, None)))(params, thetas)


@partial(jax.jit, static_argnums=0)
def _gradients(loss, params, thetas, z):
    """|d loss / d theta| of the generator, the critic held. Shapes: as of `_values`."""

    def value(theta, params):
        return LOSSES[loss].generator(_judge(params, z[0]), _judge(params, z[1] + theta))

    return jnp.abs(jax.vmap(jax.vmap(jax.grad(value), (None, 0)))(thetas, params))


@jax.jit
def _curves(params):
    """Logits over GRID. Shapes: params [seeds, ...] -> [seeds, x]."""
    return jax.vmap(lambda params: _judge(params, jnp.asarray(GRID, jnp.float32)[:, None]))(params)


def summary(thetas: Sequence[float], found: Found) -> list[dict[str, Any]]:
    """A row a theta: what is exact, and each critic's value and gradient as [mean, least, most] over seeds.

    A discriminator's value is given as the divergence that it amounts to, log 2 - its cross-entropy.
    """
    z = laws.STD * np.asarray(jax.random.normal(jax.random.key(0), (2, JUDGED)), float)
    rows = []
    for i, theta in enumerate(thetas):
        scipy = float(wasserstein_distance(z[0], z[1] + theta))
        values = {name: v[i] + (np.log(2) if name == "discriminator" else 0) for name, v in found.values.items()}
        minimax, non_saturating = laws.optimal_slopes(theta)
        penalized = {name: laws.penalized(theta, kind.penalty) for name, kind in KINDS.items() if kind.penalty}
        rows.append(
            {
                "theta": theta,
                "exact": {"jensen_shannon": laws.jensen_shannon(theta), "wasserstein": theta, "scipy": scipy}
                | {name: value for name, (value, _) in penalized.items()},
                "exact gradients": {"minimax": minimax, "non-saturating": non_saturating}
                | {name: slope for name, (_, slope) in penalized.items()},
                "values": {name: spread(v) for name, v in values.items()},
                "relative errors": {name: spread(values[name] / scipy - 1) for name in penalized},
                "factor of clipping": spread(values["clipping"] / scipy),
                "gradients": {name: spread(g[i]) for name, g in found.gradients.items()},
            }
        )
    return rows


def spread(values: np.ndarray) -> list[float]:
    """Mean, least and most."""
    return [float(np.mean(values)), float(np.min(values)), float(np.max(values))]


if __name__ == "__main__":
    define_flags()
    entry.run(main)
