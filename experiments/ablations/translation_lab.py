"""Colors as red, green and blue of luma, or as CIE's a and b of lightness, as the paper of pix2pix has them."""

from experiments.ablations.translation_superres import EVALUATE, OVERRIDES, REPORT, SEEDS

__all__ = ["BASE", "EVALUATE", "OVERRIDES", "REPORT", "SEEDS", "variants"]

BASE = "configs/colorize.py"


def variants():
    """Both, by the distance alone and with the critic."""
    spaces = {"luma to RGB": {}, "lightness to a and b": {"data.name": "lab:emoji_64"}}
    losses = {"L1": {"loss.adversarial": 0.0}, "L1 + GAN": {}}
    return {f"{space}, {loss}": keys | weights for space, keys in spaces.items() for loss, weights in losses.items()}
