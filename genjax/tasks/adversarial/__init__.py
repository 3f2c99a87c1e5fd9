"""Adversarial training of any two nets: any loss x penalties x remedies.

"Critic" and "discriminator" are the same thing; the code says critic, whatever the loss.

- `config`: the keys that all adversarial tasks share.
- `setup`: the static parts of a step (nets, loss, penalties, optimizers) and the state at step 0.
- `keys`: names of the random keys within a step.
- `inputs`: from examples to inputs of the critic: fakes, replay, instance noise, augmentation, packing.
- `losses`: the losses of the critic and of the generator.
- `step`: the updates of a step, in their order.
- `validation`: configs that are refused before anything is compiled.

Source: arXiv:1406.2661.
"""

from genjax.tasks.adversarial.config import base_config
from genjax.tasks.adversarial.setup import Players, Setup, ignoring_step, init_state, optimizers
from genjax.tasks.adversarial.step import make_step

__all__ = ["Players", "Setup", "base_config", "ignoring_step", "init_state", "make_step", "optimizers"]
