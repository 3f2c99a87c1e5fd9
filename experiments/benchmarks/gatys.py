"""Time a step of Gatys' style transfer against PyTorch: python -m experiments.benchmarks.gatys

VGG16 with the same random weights, the paper's losses (five style layers, one content layer), average pooling, and Adam
on the pixels; PyTorch in both memory layouts. Nothing is timed unless all give the same loss. They take turns in one
process on all cores; a time is a median over the turns. Run it from the repository's root on an idle machine.
"""

import os
import statistics
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax
from absl import flags

from genjax.cli import entry
from genjax.engine import compiler
from genjax.errors import InputError
from genjax.losses.style import content_loss, gram, style_loss
from genjax.nets.vgg import BLOCKS, VGG, layers, precompute

FLAGS = flags.FLAGS
STYLE = tuple(f"relu{block}_1" for block in range(1, 6))
CONTENT = "relu4_2"
DEPTH, RATE, LAST = 16, 0.05, "relu5_1"
TOLERANCE = 1e-3
"""The largest relative difference of losses."""


def define_flags() -> None:
    """The flags of this entry point."""
    flags.DEFINE_integer("size", 256, "Height and width in pixels.", lower_bound=32)
    flags.DEFINE_integer("steps", 5, "Steps per turn.", lower_bound=1)
    flags.DEFINE_integer("repeats", 5, "Turns per program.", lower_bound=1)


def main() -> int:
    """Measure and print; the exit code."""
    rng = np.random.default_rng(0)
    content, image = (rng.uniform(0, 255, (1, FLAGS.size, FLAGS.size, 3)).astype(np.float32) for _ in range(2))
    variables = VGG(DEPTH, last=LAST).init(jax.random.key(0), jnp.zeros((1, 32, 32, 3)))
    runners = {"genjax": ours(variables, content, image)}
    runners |= {f"PyTorch, {name}": theirs(variables, content, image, name) for name in ("channels last", "plain")}
    first = {name: run(1) for name, run in runners.items()}
    for name, loss in first.items():
        if not abs(loss - first["genjax"]) <= TOLERANCE * abs(loss):
            raise InputError(
                f"the loss of {name} is {loss}, that of genjax {first['genjax']}: they compute different things"
            )
    turns = [{name: _seconds(run) / FLAGS.steps for name, run in runners.items()} for _ in range(FLAGS.repeats)]
    times = {name: statistics.median(turn[name] for turn in turns) for name in runners}
    for name, seconds in times.items():
        each = [turn[name] / turn["genjax"] for turn in turns]
        print(f"{name}: {1e3 * seconds:.0f} ms, {seconds / times['genjax']:.2f} ({min(each):.2f} - {max(each):.2f})")
    return 0


def ours(variables, content, image) -> Callable[[int], float]:
    """genjax's program: (steps) -> the loss before the last of them."""
    net = VGG(DEPTH, pooling="average", last=LAST)
    tx = optax.adam(RATE)

    def features(variables, x):
        maps = net.apply(variables, (x + 1) * 127.5)
        return maps[CONTENT], [gram(maps[name]) for name in STYLE]

    def loss(x, variables, targets):
        maps, grams = features(variables, x)
        return content_loss(maps, targets[0]) + sum(map(style_loss, grams, targets[1])) / len(STYLE)

    def steps(variables, targets, x, opt, count):
        def step(_, carry):
            x, opt, _ = carry
            value, gradient = jax.value_and_grad(loss)(x, variables, targets)
            updates, opt = tx.update(gradient, opt, x)
            return optax.apply_updates(x, updates), opt, value

        return jax.lax.fori_loop(0, count, step, (x, opt, jnp.zeros(())))

    steps = jax.jit(steps, donate_argnums=(2, 3), compiler_options=compiler.options())
    variables = {**variables, **jax.jit(lambda v: precompute(v, layers(DEPTH, LAST)))(variables)}
    targets = jax.jit(features)(variables, jnp.asarray(content) / 127.5 - 1)
    x = jnp.asarray(image) / 127.5 - 1
    opt = tx.init(x)

    def run(count):
        nonlocal x, opt
        x, opt, value = steps(variables, targets, x, opt, count)
        return float(value)

    return run


def theirs(variables, content, image, layout: str) -> Callable[[int], float]:
    """PyTorch's program, as `ours`."""
    try:
        import torch
        import torch.nn.functional as F
    except ImportError as error:
        raise InputError('PyTorch is not installed: pip install -e ".[bench]"') from error
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    order = torch.channels_last if layout == "channels last" else torch.contiguous_format

    def tensor(x):
        return torch.tensor(np.asarray(x)).permute(0, 3, 1, 2).contiguous(memory_format=order)

    weights = {}
    for name, layer in variables["params"].items():
        if name != "color":
            kernel = torch.tensor(np.asarray(layer["kernel"])).permute(3, 2, 0, 1)
            weights[name] = kernel.contiguous(memory_format=order), torch.tensor(np.asarray(layer["bias"]))

    def features(x):
        maps = {}
        for block, convs in enumerate(BLOCKS[DEPTH], 1):
            for number in range(1, convs + 1):
                x = maps[f"relu{block}_{number}"] = F.relu(F.conv2d(x, *weights[f"conv{block}_{number}"], padding=1))
                if f"relu{block}_{number}" == LAST:
                    return maps[CONTENT], [torch_gram(maps[name]) for name in STYLE]
            x = F.avg_pool2d(x, 2)
        raise AssertionError

    def torch_gram(x):
        flat = x.flatten(2)
        return flat @ flat.transpose(1, 2) / flat.shape[2]

    with torch.no_grad():
        targets = features(tensor(content / 127.5 - 1))
    x = tensor(image / 127.5 - 1).requires_grad_(True)
    optimizer = torch.optim.Adam([x], lr=RATE)

    def run(count):
        for _ in range(count):
            optimizer.zero_grad(set_to_none=True)
            maps, grams = features(x)
            style = sum((a - b).square().mean() / 4 for a, b in zip(grams, targets[1], strict=True))
            loss = (maps - targets[0]).square().mean() / 2 + style / len(STYLE)
            loss.backward()
            optimizer.step()
        return float(loss.detach())

    return run


def _seconds(run):
    start = time.perf_counter()
    run(FLAGS.steps)
    return time.perf_counter() - start


if __name__ == "__main__":
    define_flags()
    entry.run(main)
