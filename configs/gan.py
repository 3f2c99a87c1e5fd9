"""The classic GAN of dense layers on 28x28 images: SELU, binary cross-entropy on logits, RMSProp."""

from genjax.config import SMOKE, variant
from genjax.tasks import gan


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = gan.config()
    c.steps = 10_000
    c.batch = 32
    c.latent = 30
    c.generator = {"net": "mlp", "widths": (100, 150), "activation": "selu", "output": "sigmoid"}
    c.critic = {"net": "mlp", "widths": (150, 100), "activation": "selu"}
    c.optimizer.generator.update(name="rmsprop", learning_rate=1e-3)
    c.optimizer.critic.update(name="rmsprop", learning_rate=1e-3)
    return variant(c, name, smoke=SMOKE | {"generator.widths": (8, 8), "critic.widths": (8, 8)})
