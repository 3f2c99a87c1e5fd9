"""The DCGAN of its paper: 64x64, four stages, batch normalization in both nets, no hidden dense layer, Adam 2e-4 (0.5).

Source: arXiv:1511.06434, sections 3 and 4. Paper: uniform latents; here: normal ones. The packaged clothes are resized
to 64x64; for color use --config.data.name=emoji_64, or folder:PATH with --config.data.size=64. Only small runs were
made here.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import gan


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = gan.config()
    c.steps = 50_000
    c.batch = 128
    c.data.update(size="64", upscale=True)
    c.generator = {
        "net": "dcgan",
        "channels": (1024, 512, 256, 128),
        "kernel": 5,
        "activation": "relu",
        "order": "paper",
        "kernel_init": "normal",
    }
    c.critic = {
        "net": "dcgan",
        "channels": (128, 256, 512, 1024),
        "kernel": 5,
        "dropout": 0.0,
        "batch_norm": True,
        "kernel_init": "normal",
    }
    smoke = SMOKE | {"generator.channels": (8, 8, 4, 4), "critic.channels": (4, 4, 8, 8)}
    return variant(c, name, smoke=smoke)
