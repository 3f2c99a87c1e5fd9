"""Time SqueezeNet's features against PyTorch: python -m experiments.benchmarks.features

Random images as in an evaluation, uint8 in memory, through `metrics.features.extract` unchanged and through the same
net with the same weights in PyTorch: channels last, in inference mode, with antialiased resizing as ours, and with the
fastest of a few batch sizes. Both must give the same features before anything is timed. They take turns in one process
on all cores; a time is a median over the turns. Run it from the repository's root on a quiet machine.
"""

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from absl import flags

from genjax.cli import entry
from genjax.errors import InputError
from genjax.metrics import features
from genjax.nets.squeezenet import MEAN, STAGES

FLAGS = flags.FLAGS
Extract = Callable[[np.ndarray], np.ndarray]

BATCHES = (16, 32, 64, 128, 256)
"""Batch sizes that PyTorch is tried with."""

TOLERANCE = 1e-4
"""Largest difference of features, relative to the largest one."""


@dataclass(frozen=True)
class Kind:
    """A shape of images, and the size that they are resized to."""

    shape: tuple[int, int, int]
    size: int

    @property
    def name(self) -> str:
        """Its row in the table."""
        height, width, channels = self.shape
        return f"{height}x{width} {'gray' if channels == 1 else 'color'}, resized to {self.size}x{self.size}"


KINDS = tuple(Kind(shape, size) for shape in ((28, 28, 1), (32, 32, 3)) for size in (64, 128))


@dataclass(frozen=True)
class Duel:
    """Seconds per turn of both, for `images` images."""

    kind: Kind
    images: int
    ours: list[float]
    theirs: list[float]
    batch: int  # PyTorch's fastest


def define_flags() -> None:
    """Define the flags of this command."""
    flags.DEFINE_integer("images", 10_000, "Images per turn.", lower_bound=1)
    flags.DEFINE_integer("repeats", 3, "Turns of both; their median counts.", lower_bound=1)


def main() -> int:
    """Measure and print. Returns: the exit code."""
    print(as_text([duel(kind, FLAGS.images, FLAGS.repeats) for kind in KINDS]))
    return 0


def duel(kind: Kind, count: int, repeats: int) -> Duel:
    """Time genjax and PyTorch by turns on images of one kind. Raises: InputError if PyTorch is absent or disagrees."""
    images = np.random.default_rng(0).integers(0, 256, (count, *kind.shape), np.uint8)
    net = features.squeezenet(kind.size)
    torch_net = in_torch(net.variables, kind.size)

    def ours(x):
        return features.extract(net, x).features

    def theirs(x):
        return np.concatenate([torch_net(x[i : i + batch]) for i in range(0, len(x), batch)])

    agree(ours(images[:64]), torch_net(images[:64]))  # and compiles
    batch = fastest(torch_net, images[: max(BATCHES)])
    turns = [(seconds(ours, images), seconds(theirs, images)) for _ in range(repeats)]
    return Duel(kind, count, *map(list, zip(*turns, strict=True)), batch)


def in_torch(variables: dict, size: int) -> Extract:
    """SqueezeNet up to its features in PyTorch: a function of uint8 images [B, H, W, 1 or 3]."""
    try:
        import torch
        import torch.nn.functional as F
    except ImportError as error:
        raise InputError('PyTorch, the library to compare with, is not installed: pip install -e ".[bench]"') from error
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    layout = {"memory_format": torch.channels_last}
    weights = {}
    for name, layer in variables["params"].items():
        for part, arrays in {"": layer}.items() if name.startswith("conv") else layer.items():
            kernel = torch.tensor(np.asarray(arrays["kernel"])).permute(3, 2, 0, 1)
            weights[name + part] = kernel.contiguous(**layout), torch.tensor(np.asarray(arrays["bias"]))
    kernel, bias = weights["conv1"]
    weights["conv1"] = kernel.flip(1).contiguous(**layout), bias  # blue, green, red
    mean = torch.tensor(MEAN[::-1]).view(3, 1, 1)

    def extract(images):
        with torch.inference_mode():
            x = torch.from_numpy(images).permute(0, 3, 1, 2).float()
            x = F.interpolate(x, (size, size), mode="bilinear", antialias=True)
            x = (x - mean).contiguous(**layout)
            x = F.conv2d(x, *weights["conv1"], stride=2).relu_()
            for fires in STAGES.values():
                x = F.max_pool2d(x, 3, 2, ceil_mode=True)
                for name in fires:
                    x = F.conv2d(x, *weights[name + "squeeze1x1"]).relu_()
                    wide = (
                        F.conv2d(x, *weights[name + "expand1x1"]),
                        F.conv2d(x, *weights[name + "expand3x3"], padding=1),
                    )
                    x = torch.cat(wide, 1).relu_()
            return x.mean((2, 3)).numpy()

    return extract


def agree(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Refuse to time two functions with different results. Raises: InputError."""
    if not (gap := np.abs(ours - theirs).max() / np.abs(theirs).max()) <= TOLERANCE:  # nor is NaN
        raise InputError(f"the features of PyTorch differ by {gap:.1e} of the largest: expected {TOLERANCE} at most")


def fastest(extract: Extract, images: np.ndarray) -> int:
    """The batch size with the least time per image; each is tried twice, after a first call."""
    times = {}
    for batch in [batch for batch in BATCHES if batch <= len(images)] or [len(images)]:
        part = images[:batch]
        extract(part)
        times[batch] = min(seconds(extract, part) for _ in range(2)) / batch
    return min(times, key=times.get)


def seconds(call: Callable, *args) -> float:
    """Seconds that a call takes."""
    start = time.perf_counter()
    call(*args)
    return time.perf_counter() - start


def as_text(duels: list[Duel]) -> str:
    """The times as a Markdown table."""
    lines = ["| Images | genjax | PyTorch | its batch | Ratio (range) |", "|---|---|---|---|---|"]
    for duel in duels:
        ours, theirs = statistics.median(duel.ours), statistics.median(duel.theirs)
        each = [b / a for a, b in zip(duel.ours, duel.theirs, strict=True)]
        ratio = f"{theirs / ours:.2f} ({min(each):.2f} - {max(each):.2f})"
        lines.append(
            f"| {duel.images:,} of {duel.kind.name} | {ours:.1f} s | {theirs:.1f} s | {duel.batch} | {ratio} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    define_flags()
    entry.run(main)
