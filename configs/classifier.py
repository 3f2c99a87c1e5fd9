"""A classifier of clothes: two 3x3 convolutions with pooling, 128 hidden units, dropout 0.4, Adam.

On the whole Fashion-MNIST: --config.data.name=fashion_mnist --config.steps=4700.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import classifier


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = classifier.config()
    c.steps = 1_600  # ten times through the packaged images
    c.batch = 64
    c.classifier = {"net": "convnet", "channels": (32, 64), "widths": (128,), "dropout": 0.4}
    return variant(c, name, smoke=SMOKE | {"classifier.channels": (4, 8), "classifier.widths": (16,)})
