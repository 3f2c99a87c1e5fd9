"""Clipping against penalty: python -m experiments.gans.clipping --out=runs/figures

Wasserstein critics, constrained by weight clipping or by a gradient penalty, are trained to near optimality against a
fixed distribution of fakes: reals with unit normal noise added. Writes clipping_surfaces.png, the critics' values over
the plane on 8 Gaussians, 25 Gaussians and the Swiss roll; clipping_layers.png, how gradients vanish or explode through
twelve layers on the Swiss roll, and a histogram of the weights; and clipping.json.

Source: arXiv:1704.00028, figure 1. Paper: 512 units per layer, fakes made from the batch's own reals; here: 128 and 64
units, fakes made from other reals, as in its algorithm 1.
"""

from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from absl import flags
from scipy.optimize import linear_sum_assignment

from experiments.gans import output
from experiments.gans.clipping_figure import layers_figure, surfaces_figure
from experiments.gans.critics import Kind, train
from genjax import data
from genjax.cli import entry
from genjax.losses.penalty import value_and_slope
from genjax.nets.layers import Dense
from genjax.nets.mlp import Critic

FLAGS = flags.FLAGS

DATA = {"8 Gaussians": ("ring8", 2**0.5), "25 Gaussians": ("grid25", 8**-0.5), "Swiss roll": ("swiss_roll", 1.0)}
"""Name -> data set, and the factor that scales it to the size used in the source's code."""

CLIP = 0.03  # bound on the slope over four layers: 0.03^4 128^3 = 1.7, about the paper's 0.01^4 512^3 = 1.3
WIDE = Critic(widths=(128, 128, 128), activation="relu", kernel_init="he")
DEEP = Critic(widths=(64,) * 11, activation="relu", kernel_init="he")
SURFACES = {
    "clipping": Kind("wasserstein", clip=CLIP, rate=5e-4, optimizer="rmsprop"),
    "penalty 0.1": Kind("wasserstein", penalty=0.1),  # in the source's code, for these data
    "penalty 10": Kind("wasserstein", penalty=10.0),  # in the source's text
}
SHOWN = "clipping", "penalty 0.1"
LAYERS = {
    f"clipping, c = {c:g}": Kind("wasserstein", clip=c, cut=True, rate=c / 100, optimizer="rmsprop")
    for c in (0.1, 0.01, 0.001)
} | {"gradient penalty": SURFACES["penalty 0.1"]}
BATCH = 128
EXAMPLES = 1000  # critics are evaluated on this many reals and fakes
SIDE = 81  # grid points of the surfaces along each axis
EDGE = 2.4


def define_flags() -> None:
    """The flags of this entry point."""
    output.define_flags()
    flags.DEFINE_integer("steps", 1500, "Number of updates of each critic.", lower_bound=1)
    flags.DEFINE_integer("seeds", 3, "Number of critics of each setting; figures show the first.", lower_bound=1)


def main() -> int:
    """Train and evaluate the critics, write the figures and their numbers; returns the exit code."""
    folder = output.folder(FLAGS.out)
    x = {name: points(name) for name in DATA}
    surfaces = {name: Surfaces.train(kind, x, FLAGS.seeds, FLAGS.steps) for name, kind in SURFACES.items()}
    layers = {name: through_layers(kind, x["Swiss roll"], FLAGS.seeds, FLAGS.steps) for name, kind in LAYERS.items()}
    roll = list(DATA).index("Swiss roll")
    weights = {name: surfaces[name].weights(roll, 0) for name in SHOWN}
    numbers = {
        "steps": FLAGS.steps,
        "seeds": FLAGS.seeds,
        "batch": BATCH,
        "kinds": {name: kind._asdict() for name, kind in (SURFACES | LAYERS).items()},
        "surfaces": {name: critics.summary(x) for name, critics in surfaces.items()},
        "exact distance of samples": {name: exact_distance(data) for name, data in x.items()},
        "layers": {
            name: {"before": before.tolist(), "after": after.tolist()} for name, (before, after) in layers.items()
        },
    }
    heights = {name: surfaces[name].heights() for name in SHOWN}
    images = {
        "clipping_surfaces": surfaces_figure(heights, x, EDGE),
        "clipping_layers": layers_figure(layers, weights, CLIP),
    }
    output.save(folder, ("clipping", numbers), images)
    return 0


def points(name: str) -> np.ndarray:
    """All points of a data set, scaled as in the source. Shapes: -> float32 [100000, 2]."""
    dataset, scale = DATA[name]
    config = SimpleNamespace(name=dataset, split="train", size="", channels=0, resize="crop", dir="")
    source = data.load(config)
    return np.float32(scale) * source.read(np.arange(source.size))


def pairs(x, key, count: int = BATCH):
    """Reals, and fakes made from other reals with unit normal noise. Shapes: x [N, 2] -> [count, 2], [count, 2]."""
    k_indices, k_noise = jax.random.split(key)
    real, base = x[jax.random.randint(k_indices, (2, count), 0, len(x))]
    return real, base + jax.random.normal(k_noise, base.shape)


def logits(net: nn.Module, params, x):
    """The critic's output. Shapes: x [N, 2] -> [N]."""
    return net.apply({"params": params}, x)


class Surfaces(NamedTuple):
    """Critics of one kind on every data set: parameters [data sets, seeds, ...] before and after training."""

    kind: Kind
    before: Any
    after: Any

    @classmethod
    def train(cls, kind: Kind, x: dict[str, np.ndarray], seeds: int, steps: int) -> "Surfaces":
        """Train one critic per data set and seed."""
        return cls(kind, *train(kind, WIDE, pairs, jnp.stack(list(x.values())), seeds, steps))

    def heights(self) -> np.ndarray:
        """The first seed's values over the plane, per data set. Shapes: -> [data sets, SIDE, SIDE]: y, x."""
        line = jnp.linspace(-EDGE, EDGE, SIDE)
        plane = jnp.stack(jnp.meshgrid(line, line), -1).reshape(-1, 2)
        values = jax.vmap(lambda params: logits(WIDE, params, plane))(jax.tree.map(lambda w: w[:, 0], self.after))
        return np.asarray(values).reshape(-1, SIDE, SIDE)

    def weights(self, dataset: int, seed: int, before: bool = False) -> np.ndarray:
        """All of one critic's parameters. Shapes: -> [parameters]."""
        leaves = jax.tree.leaves(self.before if before else self.after)
        return np.concatenate([np.asarray(leaf[dataset, seed]).ravel() for leaf in leaves])

    def summary(self, x: dict[str, np.ndarray]) -> dict[str, dict[str, list[float]]]:
        """Statistics of the critics: data set -> name -> one number per seed.

        "value" is E D(x) - E D(G(z)); "steepest" is the largest slope found on lines from reals to fakes; "distance" is
        their ratio, which is at most the earth mover's distance if "steepest" is the critic's Lipschitz constant.
        "share at the bound" is the share of weights within 1% of a clipped critic's bound, after and before training.
        """

        @jax.jit
        def measure(params, real, fake):
            u = jnp.linspace(0, 1, len(real))[:, None]
            _, slopes = value_and_slope(
                partial(logits, WIDE, params), jnp.concatenate([real, fake, real + u * (fake - real)])
            )
            steep = jnp.linalg.norm(slopes, axis=1)
            return logits(WIDE, params, real).mean() - logits(WIDE, params, fake).mean(), steep.max(), jnp.median(steep)

        rows = {}
        for dataset, (name, points) in enumerate(x.items()):
            real, fake = pairs(points, jax.random.key(0), EXAMPLES)
            seeds = range(len(jax.tree.leaves(self.after)[0][dataset]))
            critics = [jax.tree.map(lambda w: w[dataset, seed], self.after) for seed in seeds]  # noqa: B023
            value, steepest, median = np.array([measure(params, real, fake) for params in critics], float).T
            row = {"value": value, "steepest": steepest, "median slope": median, "distance": value / steepest}
            if self.kind.clip:
                row["share at the bound"] = np.array([self._share_at_bound(dataset, seed, False) for seed in seeds])
                row["share at the bound, before"] = np.array(
                    [self._share_at_bound(dataset, seed, True) for seed in seeds]
                )
            rows[name] = {key: values.tolist() for key, values in row.items()}
        return rows

    def _share_at_bound(self, dataset, seed, before):
        return float((np.abs(self.weights(dataset, seed, before)) > 0.99 * self.kind.clip).mean())


def exact_distance(x: np.ndarray) -> float:
    """Wasserstein-1 distance between EXAMPLES reals and fakes, by the optimal assignment."""
    real, fake = (np.asarray(points, float) for points in pairs(jnp.asarray(x), jax.random.key(0), EXAMPLES))
    cost = np.linalg.norm(real[:, None] - fake, axis=-1)
    return float(cost[linear_sum_assignment(cost)].mean())


def through_layers(kind: Kind, x: np.ndarray, seeds: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """`layer_slopes` of deep critics, before and after training. Shapes: x [N, 2] -> two arrays [seeds, layers]."""
    trained = train(kind, DEEP, pairs, jnp.asarray(x)[None], seeds, steps)
    real, fake = pairs(jnp.asarray(x), jax.random.key(0), EXAMPLES // 2)
    both = jnp.concatenate([real, fake])
    slopes = [
        [layer_slopes(DEEP, jax.tree.map(lambda w: w[0, seed], params), both) for seed in range(seeds)]  # noqa: B023
        for params in trained
    ]
    return np.array(slopes[0]), np.array(slopes[1])


def layer_slopes(net: Critic, params, x) -> np.ndarray:
    """Mean norm over examples of d logit / d (output of a layer), from the first layer to the last, whose norm is 1.

    Shapes: x [N, ...] -> [layers].
    """
    # In float64, because the square of a slope of 1e-20 underflows in float32.
    per_layer = [np.asarray(slopes, float) for slopes in _slopes(net, params, x)]
    return np.array([np.linalg.norm(slopes, axis=1).mean() for slopes in per_layer])


@partial(jax.jit, static_argnums=0)
def _slopes(net, params, x):
    """Gradients in zeros that are added to the output of each dense layer."""

    def total(shifts):
        def shifted(call, args, kwargs, context):
            out = call(*args, **kwargs)
            dense = isinstance(context.module, Dense) and context.method_name == "__call__"
            return out + shifts[int(context.module.name.removeprefix("Dense_"))] if dense else out

        with nn.intercept_methods(shifted):
            return logits(net, params, x).sum()

    return jax.grad(total)([jnp.zeros((len(x), width)) for width in (*net.widths, 1)])


if __name__ == "__main__":
    define_flags()
    entry.run(main)
