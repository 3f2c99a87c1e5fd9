"""Clipping against penalty: python -m experiments.gans.clipping --out=runs/figures

Wasserstein critics, constrained by weight clipping or by a gradient penalty, are trained to near optimality against a
generator whose law is held: reals with unit normal noise added. Writes clipping_surfaces.png, the critics' values over
the plane on 8 Gaussians, 25 Gaussians and the Swiss roll; clipping_layers.png, on the Swiss roll how fast gradients
vanish or explode through twelve layers, and where the weights are; and clipping.json.

Source: arXiv:1704.00028, figure 1. Paper: 512 units a layer, fakes that are the batch's own reals with noise;
here: 128 and 64 units, fakes of other reals, as its algorithm 1 has them.
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
"""Name -> data set, and its factor, which brings it to the size that the source's code gives it."""

CLIP = 0.03  # the product of four layers' bounds, 0.03^4 128^3 = 1.7, is about that of the paper's, 0.01^4 512^3 = 1.3
WIDE = Critic(widths=(128, 128, 128), activation="relu", kernel_init="he")
DEEP = Critic(widths=(64,) * 11, activation="relu", kernel_init="he")
SURFACES = {
    "clipping": Kind("wasserstein", clip=CLIP, rate=5e-4, optimizer="rmsprop"),
    "penalty 0.1": Kind("wasserstein", penalty=0.1),  # the source's code, for data such as these
    "penalty 10": Kind("wasserstein", penalty=10.0),  # the source's text
}
SHOWN = "clipping", "penalty 0.1"
LAYERS = {
    f"clipping, c = {c:g}": Kind("wasserstein", clip=c, cut=True, rate=c / 100, optimizer="rmsprop")
    for c in (0.1, 0.01, 0.001)
} | {"gradient penalty": SURFACES["penalty 0.1"]}
BATCH = 128
JUDGED = 1000  # examples in what is said of a critic
SIDE = 81  # points of the surfaces along each axis
EDGE = 2.4


def define_flags() -> None:
    """The flags of this entry point."""
    output.define_flags()
    flags.DEFINE_integer("steps", 1500, "Updates of each critic.", lower_bound=1)
    flags.DEFINE_integer("seeds", 3, "Critics of each setting; images show the first.", lower_bound=1)


def main() -> int:
    """Train, judge, draw, write; the exit code."""
    where = output.folder(FLAGS.out)
    x = {name: points(name) for name in DATA}
    surfaces = {name: Surfaces.of(kind, x, FLAGS.seeds, FLAGS.steps) for name, kind in SURFACES.items()}
    layers = {name: through_layers(kind, x["Swiss roll"], FLAGS.seeds, FLAGS.steps) for name, kind in LAYERS.items()}
    roll = list(DATA).index("Swiss roll")
    weights = {name: surfaces[name].weights(roll, 0) for name in SHOWN}
    numbers = {
        "steps": FLAGS.steps,
        "seeds": FLAGS.seeds,
        "batch": BATCH,
        "kinds": {name: kind._asdict() for name, kind in (SURFACES | LAYERS).items()},
        "surfaces": {name: found.summary(x) for name, found in surfaces.items()},
        "exact distance of samples": {name: exact_distance(some) for name, some in x.items()},
        "layers": {
            name: {"before": before.tolist(), "after": after.tolist()} for name, (before, after) in layers.items()
        },
    }
    heights = {name: surfaces[name].heights() for name in SHOWN}
    images = {
        "clipping_surfaces": surfaces_figure(heights, x, EDGE),
        "clipping_layers": layers_figure(layers, weights, CLIP),
    }
    output.save(where, ("clipping", numbers), images)
    return 0


def points(name: str) -> np.ndarray:
    """All of a data set's points, at the source's size. Shapes: -> float32 [100000, 2]."""
    dataset, scale = DATA[name]
    config = SimpleNamespace(name=dataset, split="train", size="", channels=0, resize="crop", dir="")
    source = data.load(config)
    return np.float32(scale) * source.read(np.arange(source.size))


def pairs(x, key, count: int = BATCH):
    """Reals, and fakes that are other reals with unit normal noise. Shapes: x [N, 2] -> [count, 2], [count, 2]."""
    k_places, k_noise = jax.random.split(key)
    real, other = x[jax.random.randint(k_places, (2, count), 0, len(x))]
    return real, other + jax.random.normal(k_noise, other.shape)


def judge(net: nn.Module, params, x):
    """Logits. Shapes: x [N, 2] -> [N]."""
    return net.apply({"params": params}, x)


class Surfaces(NamedTuple):
    """Critics of one kind on every data set: parameters [data sets, seeds, ...] before and after training."""

    kind: Kind
    before: Any
    after: Any

    @classmethod
    def of(cls, kind: Kind, x: dict[str, np.ndarray], seeds: int, steps: int) -> "Surfaces":
        """Train them."""
        return cls(kind, *train(kind, WIDE, pairs, jnp.stack(list(x.values())), seeds, steps))

    def heights(self) -> np.ndarray:
        """Of each data set, the first seed's values over the plane. Shapes: -> [data sets, SIDE, SIDE]: y, x."""
        line = jnp.linspace(-EDGE, EDGE, SIDE)
        plane = jnp.stack(jnp.meshgrid(line, line), -1).reshape(-1, 2)
        values = jax.vmap(lambda params: judge(WIDE, params, plane))(jax.tree.map(lambda w: w[:, 0], self.after))
        return np.asarray(values).reshape(-1, SIDE, SIDE)

    def weights(self, law: int, seed: int, before: bool = False) -> np.ndarray:
        """All of one critic's parameters. Shapes: -> [parameters]."""
        leaves = jax.tree.leaves(self.before if before else self.after)
        return np.concatenate([np.asarray(leaf[law, seed]).ravel() for leaf in leaves])

    def summary(self, x: dict[str, np.ndarray]) -> dict[str, dict[str, list[float]]]:
        """By data set, a number a seed.

        value: E D(x) - E D(G(z)). steepest: the largest slope met on the way from reals to fakes. distance: the one
        over the other, which no critic can bring above the earth mover's. at the walls: share of parameters within 1%
        of a clipped critic's bounds, and the same before training.
        """

        @jax.jit
        def look(params, real, fake):
            u = jnp.linspace(0, 1, len(real))[:, None]
            _, slopes = value_and_slope(
                partial(judge, WIDE, params), jnp.concatenate([real, fake, real + u * (fake - real)])
            )
            steep = jnp.linalg.norm(slopes, axis=1)
            return judge(WIDE, params, real).mean() - judge(WIDE, params, fake).mean(), steep.max(), jnp.median(steep)

        found = {}
        for law, (name, some) in enumerate(x.items()):
            real, fake = pairs(some, jax.random.key(0), JUDGED)
            seeds = range(len(jax.tree.leaves(self.after)[0][law]))
            looks = [look(jax.tree.map(lambda w: w[law, seed], self.after), real, fake) for seed in seeds]  # noqa: B023
            value, steepest, median = np.array(looks, float).T
            row = {"value": value, "steepest": steepest, "median slope": median, "distance": value / steepest}
            if self.kind.clip:
                row["at the walls"] = np.array([self._walls(law, seed, False) for seed in seeds])
                row["at the walls, before"] = np.array([self._walls(law, seed, True) for seed in seeds])
            found[name] = {key: value.tolist() for key, value in row.items()}
        return found

    def _walls(self, law, seed, before):
        return float((np.abs(self.weights(law, seed, before)) > 0.99 * self.kind.clip).mean())


def exact_distance(x: np.ndarray) -> float:
    """Wasserstein-1 of as many reals and fakes as a critic is judged by: the best assignment of one to the other."""
    real, fake = (np.asarray(some, float) for some in pairs(jnp.asarray(x), jax.random.key(0), JUDGED))
    cost = np.linalg.norm(real[:, None] - fake, axis=-1)
    return float(cost[linear_sum_assignment(cost)].mean())


def through_layers(kind: Kind, x: np.ndarray, seeds: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """`layer_slopes` of deep critics, before and after training. Shapes: x [N, 2] -> twice [seeds, layers]."""
    trained = train(kind, DEEP, pairs, jnp.asarray(x)[None], seeds, steps)
    real, fake = pairs(jnp.asarray(x), jax.random.key(0), JUDGED // 2)
    both = jnp.concatenate([real, fake])
    slopes = [
        [layer_slopes(DEEP, jax.tree.map(lambda w: w[0, seed], params), both) for seed in range(seeds)]  # noqa: B023
        for params in trained
    ]
    return np.array(slopes[0]), np.array(slopes[1])


def layer_slopes(net: Critic, params, x) -> np.ndarray:
    """Mean norm of each example's d logit / d (output of a layer), from the first layer to the last, which has 1.

    Shapes: x [N, ...] -> [layers].
    """
    # In float64: the square of a slope of 1e-20 is not a float32.
    found = [np.asarray(slopes, float) for slopes in _slopes(net, params, x)]
    return np.array([np.linalg.norm(slopes, axis=1).mean() for slopes in found])


@partial(jax.jit, static_argnums=0)
def _slopes(net, params, x):
    """Zeros are added to what each dense layer gives, and the gradient is taken in them."""

    def total(shifts):
        def shifted(call, args, kwargs, context):
            out = call(*args, **kwargs)
            dense = isinstance(context.module, Dense) and context.method_name == "__call__"
            return out + shifts[int(context.module.name.removeprefix("Dense_"))] if dense else out

        with nn.intercept_methods(shifted):
            return judge(net, params, x).sum()

    return jax.grad(total)([jnp.zeros((len(x), width)) for width in (*net.widths, 1)])


if __name__ == "__main__":
    define_flags()
    entry.run(main)
