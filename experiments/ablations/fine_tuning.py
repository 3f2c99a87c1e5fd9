"""Fine-tuning on 500 images: from random weights, or from those of a run on other images.

The images are 500 ankle boots; the run that fine-tuning begins with has seen the other nine kinds of clothes.

    python -m experiments.ablations.fine_tuning --out=runs/boots
    python -m genjax.train --config=demo --workdir=runs/clothes --config.data.name=array:runs/boots/others.npy
    python -m experiments.run experiments/ablations/fine_tuning.py --workdir=runs/fine_tuning
"""

import argparse
from pathlib import Path

import numpy as np

from genjax import data
from genjax.config import defaults

BASE = "configs/demo.py"
OVERRIDES = {
    "data.name": "array:runs/boots/boots.npy",
    "ema.half_life": 8_000.0,
    "log_every": 100,
    "sample_every": 250,
    "keep": 1,
    "eval.samples": 500,
}
EVALUATE = "kernel,frechet,precision_recall"
SEEDS = 3
REPORT = {
    "Kernel distance (SqueezeNet fire9)": "Kernel distance",
    "Fréchet distance (SqueezeNet fire9)": "Fréchet distance",
    "Precision (SqueezeNet fire9)": "precision",
    "Recall (SqueezeNet fire9)": "recall",
}
BOOT = 9
"""The label of ankle boots in Fashion-MNIST."""


def variants():
    """Two lengths of training, each from random weights, from the run's, and from these with a frozen first layer."""
    begun = {"init.weights": "runs/clothes"}
    starts = {
        "random weights": {},
        "from other clothes": begun,
        "the same, first layer of the critic frozen": begun | {"optimizer.critic.frozen": "Conv_0"},
    }
    return {
        f"{steps} steps, {name}": start | {"steps": steps} for steps in (250, 1_000) for name, start in starts.items()
    }


def write_images(folder: Path) -> None:
    """boots.npy, 500 ankle boots of the training images, and others.npy, all other kinds. uint8 [N, 28, 28, 1]."""
    source = data.load(defaults("gan").data)
    images = source.read(np.arange(source.size))
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "boots.npy", images[source.labels == BOOT][:500])
    np.save(folder / "others.npy", images[source.labels != BOOT])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=write_images.__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the folder for both files")
    write_images(parser.parse_args().out)
