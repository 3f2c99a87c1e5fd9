"""The game of SeqGAN beside maximum likelihood that goes on (arXiv:1609.05473, section 5.1 and figure 2)."""

BASE = "configs/seqgan.py:small"
OVERRIDES = {"log_every": 100, "sample_every": 4_000, "save_every": 4_000, "keep": 1, "eval.every": 4_000}
EVALUATE = "nll_oracle,nll_test"
SEEDS = 3
REPORT = {
    "NLL by the oracle in nats per token": "NLL by the oracle",
    "NLL of held-out sequences in nats per token": "NLL of held-out sequences",
}


def variants():
    """1,500 steps of maximum likelihood, then the critic's 2,000 and 300 rounds of the game, or 2,500 steps more.

    A run has a game of one round at least: here one at a rate that does not move the generator.
    """
    alone = {"discrimination.steps": 0, "steps": 1, "critic_steps": 1, "game_rate": 1e-9}
    return {
        "maximum likelihood, 1,500 steps": alone,
        "maximum likelihood, 4,000 steps": alone | {"imitation.steps": 4_000},
        "maximum likelihood, 1,500 steps, and the game": {},
    }
