"""Pretraining for few labels: the autoencoder 784-100-30 of all images, then a classifier of 500 labeled ones.

The control is the same net, trained from scratch. On the whole Fashion-MNIST: --config.data.name=fashion_mnist
--config.data.split='train[:55000]' --config.pretrain.steps=17190. The gain is measured by experiments/pretraining.py.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import pretrained_classifier


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = pretrained_classifier.config()
    c.steps = 3_000
    c.batch = 32
    c.labels = 500
    c.frozen = 0.5
    c.autoencoder = {"net": "dense", "widths": (100, 30), "activation": "selu", "output": "sigmoid"}
    c.classifier = {"net": "dense", "widths": (20,), "activation": "selu"}
    c.pretrain.steps = 6_000
    c.pretrain.optimizer.update(name="sgd", learning_rate=1.5)
    small = {"pretrain.steps": 4, "autoencoder.widths": (8, 4), "classifier.widths": (6,)}
    return variant(c, name, smoke=SMOKE | small)
