"""Super-resolution with and without a critic, beside filters (arXiv:1611.07004, section 4.2).

The filters: python -m experiments.translation_baselines --config=superres. Other translations are compared alike, by
the files that take their variants from this one; numbers of two of them do not compare.
"""

from experiments.ablations import TRANSLATION, TRANSLATION_METRICS

BASE = "configs/superres.py"
OVERRIDES = {"steps": 1_200, "sample_every": 1_200, "save_every": 1_200, "keep": 1}
EVALUATE = TRANSLATION_METRICS
SEEDS = 3
REPORT = TRANSLATION


def variants():
    """The distance alone, and with the critic."""
    return {"L1": {"loss.adversarial": 0.0}, "L1 + GAN": {}}
