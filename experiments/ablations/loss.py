"""Adversarial losses x constraints of the critic.

Needs a run of configs/classifier.py on the whole Fashion-MNIST in runs/classifier.
"""

from experiments import ablations
from genjax.losses import adversarial

BASE = "configs/demo.py:r1"
OVERRIDES = ablations.SHORT | {"penalty.r1": 0.0}
EVALUATE = "frechet,precision_recall"
SEEDS = 3
REPORT = ablations.DISTANCES

LOSSES = ("non_saturating", "least_squares", "hinge", "wasserstein")


def constraints(loss):
    """The constraints of a critic with a loss; penalties have one weight beside the loss as it is computed."""
    share = adversarial.LOSSES[loss].share
    return {
        "none": {},
        "R1": {"penalty.r1": 0.02 / share},
        "gradient penalty": {"penalty.gradient_penalty": 10.0 / share},
        "spectral": {"critic.spectral": True},
    }


def variants():
    """Every loss with every constraint, and the original WGAN."""
    pairs = [(loss, name, keys) for loss in LOSSES for name, keys in constraints(loss).items()]
    both = {f"{loss}, {name}": {"loss.name": loss} | keys for loss, name, keys in pairs}
    return both | {"wasserstein, clipping": {"loss.name": "wasserstein", "optimizer.critic.weight_clip": 0.05}}
