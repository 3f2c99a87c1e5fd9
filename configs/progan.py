"""ProGAN at 32x32: clothes in a black frame, growing from 4x4 pixels.

The paper's losses, normalizations and optimizer (arXiv:1710.10196, appendix A): WGAN-GP with a drift of 0.001, Adam
1e-3 (0, 0.99, 1e-8), the standard deviation over groups of 4. Paper: 512 channels, 800,000 reals per phase, an average
with 0.999 per step; here: fewer channels and reals, and the half-life in reals that 0.999 means at the paper's batch of
16. `celeba_hq` is the paper's run at 256x256, with the arithmetic of its authors' code (docs/parity.md), not run here
(paper: batch 14 at that size, not a multiple of 4). `conditional` makes clothes by class; its critic classifies, as in
the authors' code (AC-GAN).
"""

from genjax.config import SMOKE, variant
from genjax.tasks import progressive


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = progressive.config()
    c.data.size, c.data.resize = "32", "frame"
    c.latent = 64
    c.generator = {"net": "progan", "channels": (64, 64, 48, 24)}
    c.critic = {"net": "progan", "channels": (64, 64, 48, 24)}
    c.growth.fade = c.growth.stable = 40.0
    c.steps, c.batch = 8_000, 16
    c.loss.update(name="wasserstein", drift=1e-3)
    c.penalty.gradient_penalty = 10.0
    for net in ("generator", "critic"):
        c.optimizer[net].update(learning_rate=1e-3, b1=0.0, b2=0.99, epsilon=1e-8)
    c.ema.half_life = 11_000.0
    if name == "celeba_hq":
        c.data.update(name="tfds:celeb_a_hq/256", size="256", resize="crop", mirror=True)
        c.latent = 512
        c.critic.update(minibatch="stddev_strided", minibatch_group=16, order="code")
        c.generator.channel_bias = c.growth.reset_after_fade = True
        c.generator.channels = c.critic.channels = (512, 512, 512, 512, 256, 128, 64)
        c.growth.fade = c.growth.stable = 800.0
        c.steps = 150_000
    small = {"growth.start": 16, "growth.fade": 0.016, "growth.stable": 0.0}
    small |= {"generator.channels": (8, 8, 8, 4), "critic.channels": (8, 8, 8, 4)}
    return variant(c, name, smoke=SMOKE | small, celeba_hq={}, conditional={"classes": 10, "samples": 100})
