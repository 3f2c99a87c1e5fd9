"""SeqGAN against an oracle of 5,000 tokens and 20 steps, with the constants of its paper and its authors' code.

Source: arXiv:1609.05473, section 4, and the authors' sequence_gan.py: 120 epochs of maximum likelihood, of 156 batches
of 64 each, 50 x 3 epochs of the critic, then 200 rounds of one update of the generator and 5 x 3 epochs of the critic.
Paper: the critic's fakes are sets of 10,000, each used three times; here: every batch has new ones. Not run here in
full: about a million updates of the critic.

`hour` is a game of the same oracle, generator and rollouts on one core. Paper: 120 epochs of maximum likelihood, 1,720
filters, 4,680 updates of the critic per round, at 1e-4; here: 30 epochs, 430 filters and 40 updates, at 1e-3.
`small` is a game of an oracle of 500 tokens and 10 steps in minutes. Paper: no baseline and one learning rate; here: a
baseline, a tenth of the rate in the game and 200 filters, since ten updates of the critic per round leave its rewards
noisy.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import seqgan

BATCHES = 156
"""Batches of 64 in 10,000 sequences."""

WIDTHS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20)
FILTERS = (100, 200, 200, 200, 200, 100, 100, 100, 100, 100, 160, 160)


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds, "hour" and "small" are less."""
    c = seqgan.config()
    c.data.name, c.vocabulary = "oracle_5000x20", 5000  # the authors' oracle: oracle:target_params_py3.pkl
    c.batch, c.imitation.steps = 64, 120 * BATCHES
    # A batch of the critic has 32 reals, so an epoch of 10,000 has twice as many
    c.discrimination.steps, c.critic_steps = 150 * 2 * BATCHES, 15 * 2 * BATCHES
    c.steps, c.rollouts, c.rollout_decay = 200, 16, 0.8
    c.generator = {"net": "lstm", "embedding": 32, "width": 32}
    c.critic = {"net": "cnn", "widths": WIDTHS, "filters": FILTERS, "embedding": 64, "dropout": 0.25}
    c.log_every, c.sample_every, c.save_every, c.samples = 10, 1_000, 1_000, 24
    c.eval.every, c.eval.samples = 780, 2_000
    smoke = SMOKE | {"data.name": "oracle_50x6", "vocabulary": 50, "critic.widths": (1, 3), "critic.filters": (2, 2)}
    smoke |= {"imitation.steps": 2, "discrimination.steps": 2, "steps": 2, "critic_steps": 2, "rollouts": 2}
    smoke |= {"generator.width": 4, "generator.embedding": 4, "critic.embedding": 4}
    hour = {"imitation.steps": 30 * BATCHES, "discrimination.steps": 800, "critic_steps": 40}
    hour |= {"critic.filters": tuple(n // 4 for n in FILTERS), "optimizer.critic.learning_rate": 1e-3}
    hour |= {"eval.every": 20, "sample_every": 500, "save_every": 100}
    small = hour | {"data.name": "oracle_500x10", "vocabulary": 500, "imitation.steps": 1_500, "steps": 300}
    small |= {"discrimination.steps": 2_000, "critic_steps": 10, "baseline": True, "game_rate": 0.1}
    small |= {"critic.widths": (1, 2, 3, 5), "critic.filters": (50, 50, 50, 50)}
    return variant(c, name, smoke=smoke, hour=hour, small=small)
