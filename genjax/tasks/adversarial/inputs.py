"""From examples to inputs of the critic.

Fakes have the labels of the reals of their batch, so both have one distribution of classes. Reals and fakes then pass
the same changes: instance noise, augmentation, packing.
"""

import jax
import jax.numpy as jnp

from genjax.engine.state import Key, Net, Variables
from genjax.engine.update import merge_microbatches, split_microbatches
from genjax.ops import ada, noise, replay
from genjax.ops.arrays import one_hot
from genjax.tasks.adversarial.keys import LAYER_NOISE
from genjax.tasks.adversarial.setup import Examples, Setup


def real_batch(setup: Setup, batch: dict, number: int | jax.Array, step) -> Examples:
    """Batch `number` of the reals of a step. A label outside the classes makes the losses NaN, and the run stops."""
    c = setup.config
    class_onehot = one_hot(batch["label"], c.classes)[number] if c.classes else None
    return Examples(setup.players.preprocess_real(batch["x"][number], step), class_onehot)


def generate(setup: Setup, params, stats: Variables, class_onehot, z, step, key: Key) -> tuple[Examples, Variables]:
    """Fakes of latents in training mode, and the generator's updated statistics.

    Book: its loop makes the critic's fakes in inference mode; here: in training mode, as in arXiv:1511.06434.
    """
    x, stats = setup.players.generator(
        {"params": params, **stats},
        z,
        step,
        train=True,
        class_onehot=class_onehot,
        rngs={"noise": jax.random.fold_in(key, LAYER_NOISE)},
        mutable=list(stats),
    )
    return Examples(x, class_onehot), stats


def generator_inputs(setup: Setup, real: Examples, key: Key) -> jax.Array:
    """The generator's inputs: those of the reals, or latents. Shapes: -> [B, latent], or [B, ...] of `Players`."""
    if setup.players.inputs is not None:
        return setup.players.inputs(real.x)
    return noise.normal(key, setup.batch, (setup.config.latent,))


def fake_batch(setup: Setup, generator: Net, real: Examples, step, key: Key) -> tuple[Examples, Variables]:
    """A batch of fakes for the critic, and the generator's statistics if these move; by default they do not: {}."""
    class_onehot = real.class_onehot
    moves = setup.config.critic_moves_statistics

    def make(stats, part) -> tuple[Variables, Examples]:
        class_onehot, z, key = part
        fake, moved = generate(setup, generator.params, generator.stats | stats, class_onehot, z, step, key)
        return moved if moves else {}, fake

    z = generator_inputs(setup, real, key)
    count = setup.config.grad_accum_steps
    start = generator.stats if moves else {}
    if count == 1:
        stats, fake = make(start, (class_onehot, z, key))
        return fake, stats
    parts = (*split_microbatches((class_onehot, z), count), jax.random.split(key, count))
    stats, fakes = jax.lax.scan(make, start, parts)
    return merge_microbatches(fakes), stats


def mix_with_replay(setup: Setup, extra: dict, fake: Examples, stored: jax.Array, key: Key) -> tuple[dict, Examples]:
    """Store fakes in the replay buffer, and replace a share of them by earlier ones.

    `stored` is the number of batches that were stored before.
    """
    c = setup.config
    if not c.replay.capacity:
        return extra, fake
    new = {"x": fake.x}
    if fake.class_onehot is not None:
        new["class_onehot"] = fake.class_onehot
    buffer = replay.store(extra["replay"], new, stored)
    filled = replay.filled(stored + 1, setup.batch, c.replay.capacity)
    count = round(c.replay.share * setup.batch)
    old = replay.draw(buffer, filled, key, count)
    mixed = jax.tree.map(lambda old, new: jnp.concatenate([old, new[count:]]), old, new)
    return extra | {"replay": buffer}, Examples(mixed["x"], mixed.get("class_onehot"))


def critic_input(setup: Setup, examples: Examples, step, extra: dict, key: Key) -> Examples:
    """Examples with instance noise, augmented, in packs. Shapes: x [B, ..., C] -> [B / n, ..., n C] for packs of n."""
    x = add_instance_noise(setup, examples.x, step, jax.random.fold_in(key, 0))
    if setup.adapts:
        c = setup.config
        x = ada.augment(x, extra["ada"]["p"], jax.random.fold_in(key, 1), c.ada.parts, sparing=c.remat)
    for number, augment in enumerate(setup.augmentations, 1):
        x = augment(x, jax.random.fold_in(key, number))
    before = examples.x if setup.config.penalty.before_augmentation else None
    return Examples(pack(setup, x), examples.class_onehot, before)


def add_instance_noise(setup: Setup, x, step, key: Key):
    """Normal noise whose standard deviation decays linearly to 0."""
    std = setup.config.instance_noise.std
    steps = setup.config.instance_noise.steps
    if not std:
        return x
    left = jnp.maximum(1 - step / steps, 0) if steps else 1.0
    return x + left * std * noise.normal(key, len(x), setup.shape)


def pack(setup: Setup, x):
    """Consecutive examples side by side on the channel axis. Source: arXiv:1712.04086."""
    count = setup.config.packing
    shape = setup.shape
    if count == 1:
        return x
    return jnp.moveaxis(x.reshape(-1, count, *shape), 1, -2).reshape(-1, *shape[:-1], shape[-1] * count)
