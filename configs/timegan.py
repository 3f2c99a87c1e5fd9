"""TimeGAN on sines of 24 steps and 5 numbers, with the constants of its authors' code.

Source: Yoon et al., "Time-series generative adversarial networks" (NeurIPS 2019); constants of the authors' timegan.py
and main_timegan.py: GRUs of width 24 in 3 layers, batches of 128, 10,000 iterations per phase. The paper's own number
of iterations was not checked. The range of the data is that of the series read so far, which is the data's after the
first epoch.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import timegan


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds."""
    c = timegan.config()
    c.data.name = "sines"  # for series of your own, series:FILE or windows:FILE, see docs/series.md
    c.embedding.steps = c.supervision.steps = c.steps = 10_000
    c.batch = 128
    c.recurrent = {"net": "gru", "width": 24, "layers": 3}
    c.log_every, c.sample_every, c.save_every, c.samples = 100, 2_000, 2_000, 12
    return variant(c, name, smoke=SMOKE | {"embedding.steps": 2, "supervision.steps": 2, "recurrent.width": 4})
