"""WaveGAN on 16,384 samples of sound, with the constants of its paper and its authors' code; not run here.

Source: arXiv:1802.04208, tables 3 to 5: WGAN-GP with lambda = 10 and 5 updates of the critic, Adam (0.5, 0.9) at 1e-4,
batches of 64, phase shuffle of 2, no batch normalization, no post-processing filter. Windows lie side by side, of drawn
tones unless data.name=wav:FOLDER. The number of steps is ours; the paper's was not checked.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import gan


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = gan.config()
    c.data.name, c.data.size = "tones", "16384"  # for sound of your own, wav:FOLDER
    c.steps, c.batch, c.latent, c.critic_steps = 200_000, 64, 100, 5
    c.generator = {"net": "wavegan", "channels": (512, 256, 128, 64), "kernel": 25, "filter": 0}
    c.critic = {"net": "wavegan", "channels": (64, 128, 256, 512, 1024), "kernel": 25, "shuffle": 2}
    c.loss.name, c.penalty.gradient_penalty = "wasserstein", 10.0
    for net in ("generator", "critic"):
        c.optimizer[net].update(name="adam", learning_rate=1e-4, b1=0.5, b2=0.9, epsilon=1e-8)
    c.sample_every, c.save_every, c.samples = 2_000, 5_000, 12
    smoke = SMOKE | {"data.size": "256", "critic_steps": 2}
    return variant(c, name, smoke=smoke | {"generator.channels": (8, 4), "critic.channels": (4, 8, 8)})
