"""The search for the demo: loss, rates, batch, depth and width that come nearest to clothes within minutes.

Each variant is trained for two to four minutes of two CPU cores; the demo is the last one, for 18,000 steps.
"""

from experiments import ablations

BASE = "configs/demo.py:r1"
OVERRIDES = {
    "log_every": 500,
    "sample_every": 100_000,
    "save_every": 100_000,
    "keep": 1,
    "eval.samples": 10_000,
}
EVALUATE = "frechet,precision_recall"
SEEDS = 1
REPORT = {metric: name for metric, name in ablations.DISTANCES.items() if "classifier" not in metric}


def variants():
    """One change after the other, and what did not help."""
    spectral = {"loss.name": "least_squares", "penalty.r1": 0.0, "critic.spectral": True, "steps": 5_000}
    fast = spectral | _rates(1.6e-3, 8e-4)
    decay = {"optimizer.generator.decay": 5_000, "optimizer.critic.decay": 5_000}
    deep = fast | {"critic.channels": (32, 64, 128)}
    return {
        "non-saturating, R1, batch 64": {},
        "least squares, spectral, rates that fall to zero": spectral | decay,
        "fast rates": fast,
        "faster rates": fast | _rates(2e-3, 2e-3),
        "fast rates that fall to zero": fast | decay,
        "fast rates, minibatch deviation": fast | {"critic.minibatch": "stddev"},
        "fast rates, twice as wide": fast
        | {"generator.channels": (128, 64), "critic.channels": (64, 128), "steps": 3_000},
        "fast rates, batch 32": fast | {"batch": 32, "steps": 8_000},
        "fast rates, batch 16": fast | {"batch": 16, "steps": 14_000},
        "fast rates, batch 16, deeper critic": deep | {"batch": 16, "steps": 12_000},
        "half of these rates": deep | _rates(8e-4, 4e-4) | {"batch": 16, "steps": 12_000},
    }


def _rates(generator, critic):
    return {"optimizer.generator.learning_rate": generator, "optimizer.critic.learning_rate": critic}
