"""A classifier of clothes: two 3x3 convolutions with pooling, 128 hidden units, dropout 0.4, Adam.

On the whole Fashion-MNIST: --config.data.name=fashion_mnist --config.steps=4700. `adversarial` trains on images that
PGD moves (arXiv:1706.06083). Paper: 40 steps of 0.01 within 0.3, on digits; here: 5 steps of 0.04 within 0.1, since
clothes differ less from each other.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import classifier


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = classifier.config()
    c.steps = 1_600  # ten times through the packaged images
    c.batch = 64
    c.classifier = {"net": "convnet", "channels": (32, 64), "widths": (128,), "dropout": 0.4}
    adversarial = {"adversarial.epsilon": 0.1}
    smoke = SMOKE | {"classifier.channels": (4, 8), "classifier.widths": (16,)}
    return variant(c, name, smoke=smoke, adversarial=adversarial)
