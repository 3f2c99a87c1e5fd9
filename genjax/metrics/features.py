"""Features of images: a trained net with its weights and its way of resizing, under one name."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from genjax.engine import compiler
from genjax.errors import InputError
from genjax.nets.inception import Inception
from genjax.nets.squeezenet import SMALLEST, SqueezeNet
from genjax.ops.pixels import to_numbers
from genjax.ops.resize import bilinear
from genjax.weights import inception as inception_weights
from genjax.weights import squeezenet as squeezenet_weights

Apply = Callable[[Any, jax.Array], tuple[jax.Array, jax.Array]]

INCEPTION = "Inception v3 pool3"

MAPS = 2**24
"""Bytes of SqueezeNet's first maps per call. From 32 MiB on, the C library returns the memory of each call to the
system, and getting it back costs two fifths of the net's time (docs/performance.md)."""


@dataclass(frozen=True, eq=False)
class FeatureNet:
    """A net and all that a distance on its features depends on."""

    name: str  # as in "Fréchet distance (SqueezeNet fire9)"
    dimension: int
    sha256: str  # of the file with the weights
    resize: str
    apply: Apply  # variables, uint8 or uint16 [B, H, W, C] -> features [B, dimension], probabilities [B, classes]
    variables: Any
    batch: int = 64  # images per call, unless `extract` gets another
    published: bool = False  # True if `sha256` is that of the weights that the net is known for
    channels: tuple[int, ...] = (1, 3)  # numbers that it takes
    has_probabilities: bool = True
    classes: tuple[str, ...] = ()  # names of the classes, if they are those of the evaluated data

    @property
    def is_fid_inception(self) -> bool:
        """True for the net and weights that FID and KID are defined with."""
        return self.name == INCEPTION and self.published

    @cached_property
    def compiled(self) -> Callable:
        """`apply`, with products in full float32 on every backend (TF32 and bfloat16 would shift features)."""

        def compiled(variables, x, probabilities):
            with jax.default_matmul_precision("highest"):
                features, classes = self.apply(variables, x)
            return (features, classes) if probabilities else (features, None)

        return jax.jit(compiled, static_argnames="probabilities", compiler_options=compiler.options())


def squeezenet(size: int = 128) -> FeatureNet:
    """SqueezeNet v1.1 with the packaged ImageNet weights: the mean of its map `fire9`.

    A distance on these features is "Fréchet distance (SqueezeNet fire9)", never FID. At 64 x 64 the net is four times
    as fast and orders noise and blur as well, but its classes are worse. Distances of two sizes do not compare.
    Raises: InputError for a size that is too small for the net.
    """
    if size < SMALLEST:
        raise InputError(f"size={size}: SqueezeNet needs images of {SMALLEST} x {SMALLEST} or more")

    def apply(variables, x):
        out = SqueezeNet().apply(variables, bilinear(to_numbers(x), (size, size)))
        return out.features, jax.nn.softmax(out.logits)

    variables = jax.device_put(squeezenet_weights.load())
    resize = f"bilinear to {size} x {size}, half-pixel centers, antialiased where it shrinks"
    batch = min(64, max(1, MAPS // (64 * size**2)))  # 64 maps of (size / 2)^2 numbers of 4 bytes
    return FeatureNet(
        "SqueezeNet fire9", 512, squeezenet_weights.SHA256, resize, apply, variables, batch, published=True
    )


def inception(path: str | os.PathLike, sha256: str | None = inception_weights.SHA256) -> FeatureNet:
    """Inception v3 with the weights of the Fréchet Inception distance from a file.

    Another file is accepted if `sha256` is its own digest or None. The digest is then part of the name, and a distance
    on the features is not FID.
    Raises: InputError if the file is absent, unreadable or has another digest, or lacks layers of the net.
    """

    def apply(variables, x):
        out = Inception().apply(variables, _in_color(to_numbers(x)))
        return out.features, out.probabilities

    weights = inception_weights.load(path, sha256)
    name = INCEPTION + ("" if weights.published else f", weights {weights.sha256[:8]}")
    variables = jax.device_put(weights.variables)
    resize = "bilinear to 299 x 299 as TensorFlow 1: no half-pixel centers, no antialiasing"
    return FeatureNet(name, 2048, weights.sha256, resize, apply, variables, published=weights.published)


class Extracted(NamedTuple):
    """Outputs of a feature net for N images."""

    features: np.ndarray  # float32 [N, dimension]
    probabilities: np.ndarray | None  # float32 [N, classes], if asked for


def extract(
    net: FeatureNet,
    images: np.ndarray | Iterable[np.ndarray],
    *,
    batch: int | None = None,
    probabilities: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> Extracted:
    """Features of images, in their order, `batch` at a time (None: the net's own batch size).

    `on_progress` is called after each batch with the number of images that are done.

    Every call has the same shape, the last one padded: the features of an image are the same to the bit whatever the
    other images are, in the same place of a batch. In another place XLA may add in another order (on a processor with
    AVX2 alone it does in the last ones), as with another `batch`: features then agree to rounding.

    Shapes: images uint8 or uint16 [N, H, W, C], or an iterable of such arrays of one H, W and C, each of any length.
    Raises: InputError for none, for other types or shapes, and for images of different shapes.
    """
    batch = net.batch if batch is None else batch
    if batch < 1:
        raise InputError(f"batch={batch}: expected at least 1")
    devices = jax.local_devices()
    variables = [jax.device_put(net.variables, device) for device in devices]
    blocks = _blocks(images, batch, net.channels)
    probabilities = probabilities and net.has_probabilities
    rows = []
    done = 0
    while turn := list(
        islice(blocks, len(devices))
    ):  # a whole block per device, so that bits do not depend on their number
        calls = []
        for device, weights, block in zip(devices, variables, turn, strict=False):
            padded = np.concatenate([block, np.repeat(block[-1:], batch - len(block), axis=0)])
            calls.append(net.compiled(weights, jax.device_put(padded, device), probabilities))
        for block, out in zip(turn, jax.device_get(calls), strict=True):
            rows.append([a if a is None else a[: len(block)] for a in out])
            done += len(block)
        if on_progress:
            on_progress(done)
    if not rows:
        raise InputError("no images to extract features from")
    features, classes = zip(*rows, strict=True)
    return Extracted(np.concatenate(features), np.concatenate(classes) if probabilities else None)


def _blocks(images: np.ndarray | Iterable[np.ndarray], batch: int, channels: tuple[int, ...]) -> Iterator[np.ndarray]:
    """The images in arrays of `batch`, the last one shorter."""
    parts = []
    shape = None
    for part in [images] if isinstance(images, np.ndarray | jax.Array) else images:
        part = _checked(np.asarray(part), channels)
        shape = shape or part.shape[1:]
        if part.shape[1:] != shape:
            raise InputError(f"images of shape {list(part.shape[1:])} after images of shape {list(shape)}")
        parts.append(part)
        if sum(map(len, parts)) >= batch:
            joined = np.concatenate(parts)
            full = len(joined) // batch * batch
            yield from joined[:full].reshape(-1, batch, *shape)
            parts = [joined[full:]]
    if sum(map(len, parts)):
        yield np.concatenate(parts)


def _checked(x: np.ndarray, channels: tuple[int, ...]) -> np.ndarray:
    if x.dtype.kind == "f" and np.isnan(x).any():
        raise InputError("images have NaN: expected uint8 pixels")
    if x.dtype not in (np.uint8, np.uint16):
        raise InputError(
            f"images are {x.dtype}: expected uint8 or uint16, quantized as they would be saved (ops.pixels.to_stored)"
        )
    if x.ndim != 4 or x.shape[3] not in channels or 0 in x.shape[1:]:
        raise InputError(f"images have shape {list(x.shape)}: expected [N, H, W, {' or '.join(map(str, channels))}]")
    return x


def _in_color(x):
    return jnp.broadcast_to(x, (*x.shape[:3], 3))
