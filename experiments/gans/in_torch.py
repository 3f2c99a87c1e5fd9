"""A GAN of the benchmark's works trained and sampled by PyTorch as genjax trains and samples its config.

Nets, losses and step are those that are timed (experiments/benchmarks/peers/with_torch.py), which has genjax's glorot
uniform weights, zero biases and constants. Here they get the run's own batches, genjax's running statistics, and
RMSProp with its epsilon where Optax has it. PyTorch's "SAME" convolutions of stride 2 are TensorFlow's in
the mirror, so its nets see images turned by half a circle, and their samples are turned back.
"""

import itertools
import os
from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from experiments.benchmarks.peers import with_torch
from experiments.benchmarks.works import Work
from genjax.data.order import positions
from genjax.data.source import Source

BLOCK = 500
"""Samples that are made at once."""


class BatchNorm(nn.BatchNorm2d):
    """Batch normalization whose running statistics move with the generator's own update alone, as genjax's do.

    The critic's fakes, made without gradients, leave them as they are.
    """

    def forward(self, x):
        """Normalize maps x by the batch's statistics in training, by the running ones else."""
        momentum = self.momentum if torch.is_grad_enabled() else 0.0
        statistics = self.running_mean, self.running_var
        return F.batch_norm(x, *statistics, self.weight, self.bias, self.training, momentum, self.eps)


def nets_of(work: Work, seed: int) -> dict[str, nn.Sequential]:
    """The work's nets, about to be trained, with the first weights of a seed; also seeds what training draws."""
    torch.manual_seed(seed)
    return {name: with_torch.module(net, channels_last=True, batch_norm=BatchNorm) for name, net in work.nets.items()}


def optimizer(params, compiled, name: str, learning_rate: float, **moments: float) -> Callable[[], None]:
    """As the peer's, but RMSProp divides by sqrt(mean square + epsilon), not by sqrt(mean square) + epsilon."""
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


def batches(source: Source, work: Work, seed: int) -> Iterator[torch.Tensor]:
    """The batches of genjax's run of that seed, as the nets see them: floats [B, C, H, W], turned."""
    for start in itertools.count(0, work.batch):
        x = torch.from_numpy(source.read(positions(seed, source.size, start, work.batch)))
        yield x.permute(0, 3, 1, 2).flip(2, 3).float() * ((1 - work.low) / 255) + work.low


def train(work: Work, source: Source, seed: int, steps: int, on_progress: Callable[[int], None]) -> nn.Sequential:
    """The generator after so many steps of the work; `on_progress` hears how many are done.

    Raises: ArithmeticError if a loss is not finite.
    """
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    nets = nets_of(work, seed)
    step = with_torch.gan(work, nets, batches(source, work, seed), lambda function: function, optimizer)
    for done in range(1, steps + 1):
        losses = step()
        if done % 50 == 0 or done == steps:
            if not all(torch.isfinite(loss) for loss in losses.values()):
                raise ArithmeticError(f"PyTorch diverged by step {done:,}: {losses}")
            on_progress(done)
    return nets["generator"]


def sample(generator: nn.Sequential, work: Work, seed: int, count: int) -> np.ndarray:
    """Images of latents drawn from a seed, by running statistics. Shapes: uint8 [count, H, W, C]."""
    latents = torch.randn(count, work.latent, generator=torch.Generator().manual_seed(seed))
    generator.eval()
    with torch.inference_mode():
        x = torch.cat([generator(z) for z in latents.split(BLOCK)])
    pixels = ((x - work.low) * (255 / (1 - work.low))).round().clamp(0, 255).to(torch.uint8)
    return pixels.flip(2, 3).permute(0, 2, 3, 1).contiguous().numpy()
