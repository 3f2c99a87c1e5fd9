"""SNGAN's residual nets with the hinge loss, for 32x32 images in color, for example CIFAR-10 (tfds:cifar10).

Source: arXiv:1802.05957; a reimplementation in PyTorch reports a Fréchet Inception distance of 16.77 with these
constants: Adam 2e-4 (0, 0.9), decaying to zero over 100,000 steps, 5 critic steps, batch 64, 128 latents. `wgan_gp`
(22.29) has no spectral normalization, mean pooling and a gradient penalty of 10. Both need a GPU; only small runs were
made here.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import gan


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = gan.config()
    c.steps = 100_000
    c.batch = 64
    c.latent = 128
    c.data.name = "emoji_32"
    c.generator = {"net": "resnet", "width": 256}
    c.critic = {"net": "resnet", "width": 128, "spectral": True, "pooling": "sum"}
    c.critic_steps = 5
    c.loss.name = "hinge"
    for net in ("generator", "critic"):
        c.optimizer[net].update(learning_rate=2e-4, b1=0.0, b2=0.9, decay=100_000)
    penalized = {
        "loss.name": "wasserstein",
        "penalty.gradient_penalty": 10.0,
        "critic.spectral": False,
        "critic.pooling": "mean",
    }
    smoke = SMOKE | {"critic_steps": 2, "generator.width": 8, "critic.width": 4}
    return variant(c, name, smoke=smoke, wgan_gp=penalized)
