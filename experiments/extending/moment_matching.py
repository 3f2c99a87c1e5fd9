"""The example's own task: a generator that matches moments, without a critic.

python -m genjax.train --config=experiments/extending/moment_matching.py --workdir=runs/matching
"""

from experiments.extending import task
from genjax.config import SMOKE, variant


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = task.config()
    c.data.name = "experiments.extending.data:moons"
    c.steps, c.batch, c.samples = 2_000, 256, 500
    return variant(c, name, smoke=SMOKE | {"samples": 20, "widths": (8,)})
