"""Modes of stacked clothes, of a thousand, that a small DCGAN covers with and without remedies.

Three gray images are the channels of one image (arXiv:1611.02163, section 3.3.1). A classifier counts the modes of
26,000 samples, channel by channel, as in arXiv:1712.04086, section 4.2. Needs a run of configs/classifier.py on the
whole Fashion-MNIST in runs/classifier.
"""

from experiments import ablations

BASE = "configs/demo.py:r1"
OVERRIDES = ablations.SMALL | {
    "data.name": "stacked:fashion_mnist_10k",
    "penalty.r1": 0.0,
    "optimizer.generator.learning_rate": 2e-4,
    "ema.half_life": 0.0,
    "eval.features": "classifier:runs/classifier",
    "eval.samples": 26_000,
}
EVALUATE = "classes"
SEEDS = 3
REPORT = {
    "Classes of 1000 (classifier of fashion_mnist, by channel)": "modes of 1,000",
    "Divergence of classes in nats (classifier of fashion_mnist, by channel)": "KL, nats",
}


def variants():
    """One remedy at a time, and the combination of three in `demo.py:r1`."""
    return {
        "DCGAN": {},
        "PacDCGAN2": {"packing": 2},
        "minibatch discrimination": {"critic.minibatch": "discrimination"},
        "experience replay": {"replay.capacity": 6_400},
        "spectral normalization": {"critic.spectral": True},
        "R1": {"penalty.r1": 0.04},
        "R1, faster generator, average": {
            "penalty.r1": 0.04,
            "optimizer.generator.learning_rate": 8e-4,
            "ema.half_life": 8_000.0,
        },
    }
