"""The losses of pix2pix: the distance, the critic, both; and a perceptual weight (arXiv:1611.07004, table 1)."""

from experiments.ablations import TRANSLATION, TRANSLATION_METRICS

BASE = "configs/colorize.py"
OVERRIDES = {"steps": 1_200, "sample_every": 1_200, "save_every": 1_200, "keep": 1}
EVALUATE = TRANSLATION_METRICS
SEEDS = 3
REPORT = TRANSLATION


def variants():
    """The distance and the critic, each alone and both, with and without the input for the critic."""
    return {
        "L1": {"loss.adversarial": 0.0},
        "perceptual": {"loss.adversarial": 0.0, "loss.l1": 0.0, "loss.perceptual": 10.0},
        "GAN": {"loss.l1": 0.0, "critic_sees_input": False},
        "conditional GAN": {"loss.l1": 0.0},
        "L1 + GAN": {"critic_sees_input": False},
        "L1 + conditional GAN": {},
    }
