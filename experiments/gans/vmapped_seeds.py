"""One config trained from many seeds in one vmapped program: ten small nets cost hardly more than one."""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from genjax import data, tasks
from genjax.config import check
from genjax.engine import compiler
from genjax.engine.phase import Task
from genjax.engine.state import State, stream


def train(config: ConfigDict, seeds: int, every: int) -> Iterator[tuple[int, Task, State, dict[str, Any]]]:
    """Train seeds 0, 1, ... together; yield (step, task, states, metrics) after every `every` steps.

    States have a leading axis [seeds]; metrics are those of the last step, [seeds] each. Every seed draws its own
    batches, with replacement, from the config's data; up to rounding, its numbers do not depend on the number of seeds.
    Raises: InputError for a config that cannot be trained.
    """
    check(config, tasks.default_config(config.task))
    source = data.load(config.data)
    task = tasks.build(config, source.shape)
    (phase,) = task.phases
    x = jnp.asarray(source.read(np.arange(source.size)))

    def step(state, key):
        k_data, k_step = jax.random.split(jax.random.fold_in(key, state.step))
        indices = jax.random.randint(k_data, (phase.batches_per_step, phase.batch), 0, len(x))
        return phase.step(state, {"x": x[indices]}, k_step)

    def advance(states, keys, count):
        states, metrics = jax.vmap(step)(states, keys)
        return jax.lax.fori_loop(1, count, lambda _, carry: jax.vmap(step)(carry[0], keys), (states, metrics))

    run = jax.jit(advance, donate_argnums=0, compiler_options=compiler.options())
    states = jax.jit(jax.vmap(task.init))(jnp.stack([stream(seed, "init") for seed in range(seeds)]))
    keys = jnp.stack([stream(seed, "train") for seed in range(seeds)])
    for done in range(0, config.steps, every):
        count = min(every, config.steps - done)
        states, metrics = run(states, keys, count)
        yield done + count, task, states, jax.device_get(metrics)
