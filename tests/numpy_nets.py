"""Layers in float64 NumPy, written from the papers and not from genjax."""

import jax
import numpy as np


def leaky_relu(x):
    return np.where(x < 0, 0.2 * x, x)


def conv(x, w, stride=1, same=True):
    """Windows of x against w: [B, H, W, I], [h, w, I, O] -> [B, H', W', O]; zeros around x where `same`."""
    rows, columns = (n // 2 * same for n in w.shape[:2])
    x = np.pad(x, ((0, 0), (rows, rows), (columns, columns), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[:2], axis=(1, 2))
    return np.einsum("bijckl,klco->bijo", windows[:, ::stride, ::stride], w)


def upfirdn(x, taps, up=1, down=1, pads=(0, 0)):
    """Both axes: `up` - 1 zeros behind each pixel, zeros around all, `np.convolve`, every `down`-th pixel."""
    for axis in (1, 2):
        spread = np.zeros([n * up if i == axis else n for i, n in enumerate(x.shape)])
        spread[tuple(slice(None, None, up if i == axis else 1) for i in range(4))] = x
        spread = np.pad(spread, [pads if i == axis else (0, 0) for i in range(4)])
        x = np.apply_along_axis(np.convolve, axis, spread, taps, "valid")
        x = x[tuple(slice(None, None, down if i == axis else 1) for i in range(4))]
    return x


def mapping(params, z, gain=1.0):
    """arXiv:1812.04948's mapping, of stored parameters a hundredth of which are used."""
    return mapping_of_normed(params, normed(z), gain)


def mapping_of_normed(params, x, gain=1.0):
    """The same of what is normalized: its dense layers."""
    for i in range(len(params.keys() - {"embed"})):
        p = params[f"dense_{i}"]
        matrix = 0.01 * p["kernel"] * np.sqrt(2) / gain / np.sqrt(x.shape[1])
        x = gain * leaky_relu(x @ matrix + 0.01 * p["bias"])
    return x


def of(variables, rng):
    """Parameters moved from where they began, so that none is a zero or a one: for JAX and for NumPy."""
    moved = jax.tree.map(lambda a: np.asarray(a, np.float64) + 0.5 * rng.standard_normal(a.shape), variables["params"])
    return {**variables, "params": moved}, moved


def drawn(net, *args, dtype=np.float64, **options):
    """A net's variables, drawn at random since compiling `init` takes long, and the parameters alone.

    The mapping's are a hundred times as large, as its multiplier wants; other collections are zero.
    """
    rng, shapes = np.random.default_rng(7), jax.eval_shape(net.init, jax.random.key(0), *args, **options)

    def draw(path, leaf):
        scale = 100 if "mapping" in jax.tree_util.keystr(path) else 1
        return (scale * rng.standard_normal(leaf.shape)).astype(dtype)

    params = jax.tree_util.tree_map_with_path(draw, shapes["params"])
    others = {name: jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), v) for name, v in shapes.items()}
    return {**others, "params": params}, params


def normed(x):
    """Pixel normalization (arXiv:1710.10196, section 4.2)."""
    return x / np.sqrt(np.mean(x**2, -1, keepdims=True) + 1e-8)


def activated(x):
    """What follows a convolution of ProGAN's generator."""
    return normed(leaky_relu(x))


def equalized_dense(p, x, gain=2**0.5):
    """x W / sqrt(inputs) times the gain, and the bias (arXiv:1710.10196, section 4.1)."""
    return x @ np.float64(p["kernel"]) * gain / np.sqrt(x.shape[-1]) + np.float64(p["bias"])


def equalized_conv(p, x, gain=2**0.5):
    """The same of a convolution with zeros beyond the border."""
    return conv(x, np.float64(p["kernel"]) * gain / np.sqrt(np.prod(p["kernel"].shape[:3]))) + np.float64(p["bias"])


def mean_of_blocks(x):
    """Half the sides, the mean of each block of 2 x 2."""
    return (x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]) / 4


def with_spread(x):
    """One map more, of the standard deviation over groups of four (arXiv:1710.10196, section 3)."""
    spread = [np.mean(np.std(x[i : i + 4], 0)) for i in range(0, len(x), 4)]
    return np.concatenate([x, np.repeat(spread, 4)[:, None, None, None] * np.ones((*x.shape[:3], 1))], 3)
