"""Layers compiled one by one: which library call each convolution becomes, and how often a layer passes over its map.

    python -m experiments.scaling.layers --for=h100:1

For each layer: its output, the gradients of its input and weights, and the weights' gradient of a penalty on the
input's gradient, as R1 and WGAN-GP need it. Convolutions are also compiled as autodiff writes them. A library's call
with the window of its own kind ("5x5 stride 2") does the products that are needed; a window as large as the map
multiplies by zeros, or is not what the library is fast at. Passes are bytes that kernels read and write, over those of
the layer's input and output.
"""

import os
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from absl import flags

os.environ.setdefault("JAX_PLATFORMS", "cpu")  # before JAX looks for devices

import flax.linen as nn
import jax
import jax.numpy as jnp

from experiments.scaling.chips import Target, target
from experiments.scaling.programs import uncached
from genjax.cli import entry
from genjax.engine.mesh import make_mesh, replicated
from genjax.nets.equalized import pixel_norm
from genjax.nets.stylegan import apply_style
from genjax.ops import backend, conv_maps
from genjax.ops.conv import conv, conv_transpose, geometry
from genjax.ops.modulated import modulated_conv
from genjax.ops.resample import SMOOTH, upfirdn2d
from genjax.text import table

FLAGS = flags.FLAGS


class Layer(NamedTuple):
    """A layer by its function of a map, weights and styles, with their shapes."""

    function: Callable[..., jax.Array]
    shapes: tuple[tuple[int, ...], ...]


def autodiff_conv(x, w, **options):
    """`conv` with the gradients that autodiff writes."""
    return conv_maps.C(geometry(x.shape[1:3], w, options["stride"], "SAME", (1, 1)), x, w)


def autodiff_transpose(y, w, **options):
    """`conv_transpose` with the gradients that autodiff writes."""
    size = tuple(n * s for n, s in zip(y.shape[1:3], options["stride"], strict=True))
    return conv_maps.T(geometry(size, w, options["stride"], "SAME", (1, 1)), y, w)


def convolutions(convolve: Callable, transpose: Callable) -> dict[str, Layer]:
    """The convolutions of DCGAN's and StyleGAN2's nets, in some form."""

    def of(function, stride):
        return lambda x, w: function(x, w, stride=(stride, stride))

    return {
        "DCGAN's critic, 5x5, stride 2": Layer(of(convolve, 2), ((64, 28, 28, 64), (5, 5, 64, 128))),
        "DCGAN's generator, transposed 5x5, stride 2": Layer(of(transpose, 2), ((64, 14, 14, 128), (5, 5, 64, 128))),
        "StyleGAN2, 3x3": Layer(of(convolve, 1), ((8, 64, 64, 256), (3, 3, 256, 256))),
        "StyleGAN2, transposed 3x3, stride 2": Layer(of(transpose, 2), ((8, 64, 64, 256), (3, 3, 256, 256))),
        "StyleGAN2, 1x1 to colors": Layer(of(convolve, 1), ((8, 64, 64, 256), (1, 1, 256, 3))),
    }


def batch_norm(x, scale, bias):
    """Batch normalization in training, without the moving average."""
    layer = nn.BatchNorm(use_running_average=False)
    stats = {"mean": jnp.zeros_like(scale), "var": jnp.ones_like(scale)}
    return layer.apply({"params": {"scale": scale, "bias": bias}, "batch_stats": stats}, x, mutable="batch_stats")[0]


MAP, STYLE = (8, 64, 64, 256), (8, 256)
OTHERS = {
    "modulated 3x3": Layer(modulated_conv, (MAP, (3, 3, 256, 256), STYLE)),
    "modulated 3x3, doubling": Layer(lambda x, w, s: modulated_conv(x, w, s, up=True), (MAP, (3, 3, 256, 256), STYLE)),
    "filter": Layer(lambda x: upfirdn2d(x, SMOOTH), (MAP,)),
    "filter, halving": Layer(lambda x: upfirdn2d(x, SMOOTH, down=2), (MAP,)),
    "filter, doubling": Layer(lambda x: upfirdn2d(x, SMOOTH, up=2), (MAP,)),
    "batch normalization": Layer(batch_norm, (MAP, (256,), (256,))),
    "instance normalization and style": Layer(apply_style, (MAP, (8, 512))),
    "pixel normalization": Layer(pixel_norm, (MAP,)),
}


def derivatives(layer: Layer) -> dict[str, Callable]:
    """The layer's output, gradients, and the weights' gradient of a penalty, as functions of its inputs and of y."""
    f = layer.function

    def gradient(which):
        return lambda y, *args: jax.vjp(lambda a: f(*args[:which], a, *args[which + 1 :]), args[which])[1](y)

    def penalty(y, *args):
        return jax.grad(lambda w: jnp.sum(jax.vjp(lambda x: f(x, w, *args[2:]), args[0])[1](y)[0] ** 3))(args[1])

    out = {"output": lambda y, *args: f(*args), "input's gradient": gradient(0)}
    if len(layer.shapes) > 1:
        out |= {"weights' gradient": gradient(1), "weights' gradient of a penalty": penalty}
    return out


class Compiled(NamedTuple):
    """The make-up of a compiled derivative of a layer."""

    calls: tuple[str, ...]  # of convolutions, with their windows
    kernels: int
    passes: float


def compiled(layer: Layer, function: Callable, goal: Target) -> Compiled:
    """A derivative of a layer, compiled for the first device of a target."""
    mesh = make_mesh(goal.devices[:1])

    def like(shape):
        return jax.ShapeDtypeStruct(shape, jnp.float32, sharding=replicated(mesh))

    inputs = [like(shape) for shape in layer.shapes]
    with backend.writing_for(goal.chip.platform), jax.set_mesh(mesh):
        y = like(jax.eval_shape(lambda *args: layer.function(*args), *inputs).shape)
        lowered = jax.jit(lambda *args: function(*args)).lower(y, *inputs)
    with uncached():
        hlo = lowered.compile().as_text()
    return Compiled(tuple(calls(hlo)), *traffic(hlo, inputs[0].size + y.size))


CALL = re.compile(r"= \S.*? (?:custom-call|convolution)\(.*?window=\{size=(\S+?)(?: ([^}]*))?\}.*")
LIBRARY = re.compile(r'"__cudnn\$conv(\w+)"')
SIZES = re.compile(r"(pred|[a-z]+\d+)\[([\d,]*)\]")


def calls(hlo: str) -> Iterator[str]:
    """The convolutions of a module: the library's call, or none, and the window."""
    for match in CALL.finditer(hlo):
        name = LIBRARY.search(match[0])
        details = dict(part.split("=") for part in (match[2] or "").split())
        stride, dilation = details.get("stride", "1"), details.get("rhs_dilate") or details.get("lhs_dilate")
        window = match[1] + (f" stride {stride[0]}" if stride[0] != "1" else "") + (" dilated" if dilation else "")
        yield f"{name[1] if name else 'convolution'} {window}"


def traffic(hlo: str, map_size: int) -> tuple[int, float]:
    """The kernels of a module's entry, and the numbers that they read and write over `map_size`."""
    entry_lines = hlo[hlo.index("\nENTRY") :].splitlines()[1:]
    sizes: dict[str, int] = {}
    kernels = total = 0
    for line in entry_lines:
        match = re.match(r"\s*(?:ROOT )?%?(\S+) = (.*?) ([a-z][\w-]*)\(([^)]*)\)", line)
        if not match:
            continue
        name, result, operation, operands = match.groups()
        arrays = [_count(shape) for kind, shape in SIZES.findall(result) if kind != "u8"]
        sizes[name] = sum(arrays)
        if operation in ("parameter", "constant", "bitcast", "tuple", "get-tuple-element"):
            continue
        kernels += 1
        total += sizes[name] + sum(sizes.get(operand.strip().lstrip("%"), 0) for operand in operands.split(","))
    return kernels, total / map_size


def _count(shape: str) -> int:
    count = 1
    for n in shape.split(","):
        count *= int(n or 1)
    return count


def main() -> None:
    """Print a table per target."""
    for goal in map(target, FLAGS["for"].value):
        own, plain = convolutions(conv, conv_transpose), convolutions(autodiff_conv, autodiff_transpose)
        print(table(list(convolution_rows(own, plain, goal)), ("convolution", "", "here", "by autodiff")) + "\n")
        print(table(list(other_rows(goal)), (f"layer, {goal.name}", "", "convolutions", "kernels", "passes")))


def convolution_rows(own: dict[str, Layer], plain: dict[str, Layer], goal: Target) -> Iterator[tuple[str, ...]]:
    """A row per derivative of each convolution: the calls of our form and of autodiff's."""
    for name, layer in own.items():
        for derivative in derivatives(layer):
            ours, theirs = (compiled(a, derivatives(a)[derivative], goal).calls for a in (layer, plain[name]))
            yield name, derivative, " + ".join(ours), " + ".join(theirs) if theirs != ours else "the same"


def other_rows(goal: Target) -> Iterator[tuple[Any, ...]]:
    """A row per derivative of each other layer."""
    for name, layer in OTHERS.items():
        for derivative, function in derivatives(layer).items():
            result = compiled(layer, function, goal)
            yield name, derivative, " + ".join(result.calls), result.kernels, f"{result.passes:.1f}"


if __name__ == "__main__":
    flags.DEFINE_list("for", ["h100:1"], "Devices, as experiments.scaling.compile takes them.")
    entry.run(main)
