"""Use a trained task: its outputs over any number of inputs, in blocks of one size."""

from collections.abc import Callable

import jax
import numpy as np

from genjax.engine.state import State

EVAL_BATCH = 16
"""Inputs a call. XLA may order a sum by the batch's size, so one size for all gives a seed the same bits each time."""


def apply_in_batches(output: Callable, state: State, inputs: np.ndarray, **options) -> np.ndarray:
    """output(state, inputs, **options) over the leading axis. Shapes: [N, ...] -> [N, ...], any N >= 1."""
    surplus = -len(inputs) % EVAL_BATCH
    padded = np.concatenate([inputs, np.repeat(inputs[-1:], surplus, axis=0)])
    call = jax.jit(output, static_argnames=tuple(options))  # of the same function: traced and compiled once a process
    blocks = [
        jax.device_get(call(state, padded[i : i + EVAL_BATCH], **options)) for i in range(0, len(padded), EVAL_BATCH)
    ]
    return np.concatenate(blocks)[: len(inputs)]
