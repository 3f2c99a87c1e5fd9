"""Five translations, each with and without a critic, beside what needs no training (arXiv:1611.07004, section 4.2).

Their baselines: python -m experiments.translation_baselines --config=superres, colorize, sketch, inpaint, next_frame.
"""

from experiments.ablations import TRANSLATION, TRANSLATION_METRICS

BASE = "configs/colorize.py"
OVERRIDES = {"steps": 400, "sample_every": 400, "save_every": 400, "keep": 1}
EVALUATE = TRANSLATION_METRICS
SEEDS = 3
REPORT = TRANSLATION


def variants():
    """The configs of these names as changes of colorize.py; each with the constants of its file."""
    still = {"generator.dropout": 0.0}
    clothes = {"data.mirror": False}
    tasks = {
        "superres": still | {"data.name": "small4:emoji_64"},
        "colorize": {},
        "sketch": {"data.name": "edges:emoji_64"},
        "inpaint": clothes
        | {"data.name": "hole:fashion_mnist_10k", "data.size": "32", "data.resize": "frame", "batch": 16},
        "next_frame": clothes | still | {"data.name": "frames:moving_clothes"},
    }
    losses = {"L1": {"loss.adversarial": 0.0}, "L1 + GAN": {}}
    return {f"{task}, {loss}": keys | weights for task, keys in tasks.items() for loss, weights in losses.items()}
