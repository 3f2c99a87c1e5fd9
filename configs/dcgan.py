"""The textbook's DCGAN on 28x28 images.

Dense 7x7x128 - BN - transposed convolution 64, 5x5, stride 2, SELU - BN - the same to one channel, tanh; critic of two
5x5 stride-2 convolutions (64, 128) with leaky ReLU 0.2 and dropout 0.4. Trained as there: RMSProp, batch 32.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import gan


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = gan.config()
    c.steps = 10_000
    c.batch = 32
    c.latent = 100
    c.generator = {"net": "dcgan", "channels": (128, 64), "kernel": 5, "activation": "selu", "output": "tanh"}
    c.critic = {"net": "dcgan", "channels": (64, 128), "kernel": 5, "dropout": 0.4}
    c.optimizer.generator.update(name="rmsprop", learning_rate=1e-3)
    c.optimizer.critic.update(name="rmsprop", learning_rate=1e-3)
    return variant(c, name, smoke=SMOKE | {"generator.channels": (8, 4), "critic.channels": (4, 8)})
