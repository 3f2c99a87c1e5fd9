"""Fine-tuning on 500 images: from random weights, or from those of a run on other images.

The images are 500 ankle boots. The run that fine-tuning begins with, in runs/clothes, has learned the other nine kinds
of clothes:

    python -m genjax.train --config=demo:r1 --workdir=runs/clothes \
        --config.data.name=experiments.ablations.fine_tuning:others
"""

import numpy as np

from genjax import data
from genjax.data.request import Request
from genjax.data.source import Source, in_memory

BOOT = 9
"""The label of ankle boots in Fashion-MNIST."""

BASE = "configs/demo.py:r1"
OVERRIDES = {
    "data.name": "experiments.ablations.fine_tuning:boots",
    "ema.half_life": 8_000.0,
    "log_every": 50,
    "sample_every": 250,
    "keep": 1,
    "eval.samples": 500,
}
EVALUATE = "kernel,frechet,precision_recall"
SEEDS = 3
REPORT = {
    "Kernel distance (SqueezeNet fire9)": "kernel distance",
    "Fréchet distance (SqueezeNet fire9)": "Fréchet distance",
    "Precision (SqueezeNet fire9)": "precision",
    "Recall (SqueezeNet fire9)": "recall",
}


def variants():
    """Two lengths of training, each from random weights, from the run's, and from these with a frozen first layer."""
    begun = {"init.weights": "runs/clothes"}
    starts = {
        "random weights": {},
        "from other clothes": begun,
        "from other clothes, first layer of the critic frozen": begun | {"optimizer.critic.frozen": "Conv_0"},
    }
    lengths = (250, 1_000)
    return {f"{steps:,} steps, {name}": {"steps": steps} | start for steps in lengths for name, start in starts.items()}


def boots(request: Request) -> Source:
    """500 ankle boots of the packaged images. Shapes: uint8 (28, 28, 1). Raises: InputError for other splits."""
    return _chosen(request, lambda labels: np.flatnonzero(labels == BOOT)[:500])


def others(request: Request) -> Source:
    """All other kinds of clothes. Shapes and errors as of `boots`."""
    return _chosen(request, lambda labels: np.flatnonzero(labels != BOOT))


def _chosen(request, choose):
    clothes = data.open_source("fashion_mnist_10k", request.split, request.form)
    return in_memory(request.name, request.split, clothes.read(choose(clothes.labels)), labels=None)
