"""A GAN with data, nets, loss and penalty of this package, evaluated by its metric.

python -m genjax.train --config=experiments/extending/config.py --workdir=runs/moons
"""

from genjax.config import SMOKE, variant
from genjax.tasks import gan


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = gan.config()
    c.data.name = "experiments.extending.data:moons"
    c.latent = 2
    c.generator = {"net": "experiments.extending.nets:SineGenerator"}
    c.critic = {"net": "experiments.extending.nets:MaxoutCritic"}
    c.loss.name = "experiments.extending.losses:pearson"
    c.penalty.update(name="experiments.extending.losses:zero_centered", weight=0.01)
    c.critic_steps = 2
    for net in ("generator", "critic"):
        c.optimizer[net].learning_rate = 1e-3
    c.ema.half_life = 20_000.0  # images
    c.steps, c.batch, c.samples = 4_000, 128, 500
    c.eval.update(every=2_000, metrics="experiments.extending.metric:energy")
    smoke = SMOKE | {
        "samples": 20,
        "generator.widths": (8,),
        "critic.widths": (8,),
        "eval.every": 2,
        "eval.samples": 50,
    }
    return variant(c, name, smoke=smoke)
