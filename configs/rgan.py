"""The recurrent GAN: an LSTM of width 100 each, 5 normal latents per step, and a critic with a logit for every step.

Source: arXiv:1706.02633, algorithm 1; constants of the authors' code, experiments/settings/test.txt and model.py:
batches of 28, 5 updates of the critic by SGD at 0.1, one of the generator by Adam at 1e-3. There: for rows of digits;
here: for TimeGAN's sines. There: LSTMs begin with Glorot's weights for both matrices, and in the generator with biases
of 1; here: as Keras has them.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import gan


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = gan.config()
    c.data.name = "sines"  # for series of your own, series:FILE or windows:FILE, see docs/series.md
    c.eval.metrics = "discriminative,predictive"
    c.steps, c.batch, c.critic_steps = 10_000, 28, 5
    c.latent = 120  # 5 for each of 24 steps
    c.generator = {"net": "recurrent", "width": 100, "squash": "tanh"}
    c.critic = {"net": "recurrent", "width": 100}
    c.optimizer.generator.update(name="adam", learning_rate=1e-3, b1=0.9, b2=0.999, epsilon=1e-8)
    c.optimizer.critic.update(name="sgd", learning_rate=0.1)
    c.sample_every, c.save_every, c.samples = 1_000, 2_000, 12
    return variant(c, name, smoke=SMOKE | {"critic_steps": 2, "generator.width": 8, "critic.width": 8})
