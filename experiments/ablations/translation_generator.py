"""The generator of pix2pix: with skips, without them, and residual (arXiv:1611.07004, section 4.3 and table 2)."""

from experiments.ablations import TRANSLATION, TRANSLATION_METRICS

BASE = "configs/colorize.py"
OVERRIDES = {"steps": 1_200, "sample_every": 1_200, "save_every": 1_200, "keep": 1}
EVALUATE = TRANSLATION_METRICS
SEEDS = 3
REPORT = TRANSLATION


def variants():
    """Each generator by the distance alone and with the critic."""
    nets = {
        "U-Net": {},
        "encoder-decoder": {"generator.skips": False},
        "residual": {"generator": {"net": "resnet", "channels": (16, 32, 64), "blocks": 6}},
    }
    losses = {"L1": {"loss.adversarial": 0.0}, "L1 + GAN": {}}
    return {f"{net}, {loss}": keys | weights for net, keys in nets.items() for loss, weights in losses.items()}
