"""The patches of pix2pix's critic: single pixels, 16x16, 70x70 and the whole image (arXiv:1611.07004, table 3)."""

from experiments.ablations import TRANSLATION, TRANSLATION_METRICS

BASE = "configs/colorize.py"
OVERRIDES = {"steps": 1_200, "sample_every": 1_200, "save_every": 1_200, "keep": 1}
EVALUATE = TRANSLATION_METRICS
SEEDS = 3
REPORT = TRANSLATION


def variants():
    """Patches by the critic's channels and kernel; of images of 64x64, 70x70 is the whole image."""
    return {
        "1x1": {"critic.kernel": 1},
        "16x16": {"critic.channels": (32, 64)},
        "34x34": {"critic.channels": (32, 64, 128)},
        "70x70": {"critic.channels": (32, 64, 128, 128)},
    }
