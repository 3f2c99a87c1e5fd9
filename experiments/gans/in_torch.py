"""A GAN of the benchmark's workloads, trained and sampled by PyTorch as genjax trains and samples its config.

Nets, losses and step are those of the timing benchmark (experiments/benchmarks/peers/with_torch.py), with genjax's
Glorot uniform weights, zero biases and constants. They are given the batches of genjax's run, running statistics
updated as in genjax, and RMSProp with its epsilon where Optax has it. PyTorch's "SAME" convolutions of stride 2 are
the mirror image of TensorFlow's, so its nets are given images rotated by 180 degrees, and samples are rotated back.
"""

import itertools
import os
from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from experiments.benchmarks.layers import Workload
from experiments.benchmarks.peers import with_torch
from genjax.data.order import positions
from genjax.data.source import Source

BLOCK = 500
"""Batch size of sampling."""


class BatchNorm(nn.BatchNorm2d):
    """Batch normalization whose running statistics change only in the generator's update, as in genjax.

    The critic's fakes are made without gradients and leave the statistics unchanged.
    """

    def forward(self, x):
        """Normalize maps x by the batch's statistics in training and by the running ones in evaluation."""
        momentum = self.momentum if torch.is_grad_enabled() else 0.0
        statistics = self.running_mean, self.running_var
        return F.batch_norm(x, *statistics, self.weight, self.bias, self.training, momentum, self.eps)


def nets_of(workload: Workload, seed: int) -> dict[str, nn.Sequential]:
    """The workload's nets with the initial weights of a seed; also seeds the random numbers of training."""
    torch.manual_seed(seed)
    return {
        name: with_torch.module(net, channels_last=True, batch_norm=BatchNorm) for name, net in workload.nets.items()
    }


def optimizer(params, compiled, name: str, learning_rate: float, **moments: float) -> Callable[[], None]:
    """The benchmark's optimizer, but RMSProp divides by sqrt(mean square + eps), not by sqrt(mean square) + eps."""
    if name != "rmsprop":
        return with_torch.optimizer(params, compiled, name, learning_rate, **moments)
    params = list(params)
    squares = [torch.zeros_like(p) for p in params]

    @torch.no_grad()
    def descend():
        for p, square in zip(params, squares, strict=True):
            square.mul_(0.9).addcmul_(p.grad, p.grad, value=0.1)
            p.addcdiv_(p.grad, (square + 1e-7).sqrt_(), value=-learning_rate)
            p.grad = None

    return descend


def batches(source: Source, workload: Workload, seed: int) -> Iterator[torch.Tensor]:
    """The batches of genjax's run with that seed as input of the nets: rotated by 180 degrees, float [B, C, H, W]."""
    for start in itertools.count(0, workload.batch):
        x = torch.from_numpy(source.read(positions(seed, source.size, start, workload.batch)))
        yield x.permute(0, 3, 1, 2).flip(2, 3).float() * ((1 - workload.low) / 255) + workload.low


def train(
    workload: Workload, source: Source, seed: int, steps: int, on_progress: Callable[[int], None]
) -> nn.Sequential:
    """Train for `steps` steps and return the generator; `on_progress` is called with the number of steps done.

    Raises: ArithmeticError if a loss is not finite.
    """
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    nets = nets_of(workload, seed)
    step = with_torch.gan(workload, nets, batches(source, workload, seed), lambda function: function, optimizer)
    for done in range(1, steps + 1):
        losses = step()
        if done % 50 == 0 or done == steps:
            if not all(torch.isfinite(loss) for loss in losses.values()):
                raise ArithmeticError(f"PyTorch diverged by step {done:,}: {losses}")
            on_progress(done)
    return nets["generator"]


def sample(generator: nn.Sequential, workload: Workload, seed: int, count: int) -> np.ndarray:
    """Samples for latents drawn from a seed, with running statistics. Shapes: -> uint8 [count, H, W, C]."""
    latents = torch.randn(count, workload.latent, generator=torch.Generator().manual_seed(seed))
    generator.eval()
    with torch.inference_mode():
        x = torch.cat([generator(z) for z in latents.split(BLOCK)])
    pixels = ((x - workload.low) * (255 / (1 - workload.low))).round().clamp(0, 255).to(torch.uint8)
    return pixels.flip(2, 3).permute(0, 2, 3, 1).contiguous().numpy()
