"""The outputs "sample", "latents" and "decode" of all GANs, and "map" and "synthesize" of those with styles."""

from collections.abc import Callable

import jax.numpy as jnp

from genjax.config import NOISE
from genjax.engine.state import State, Variables
from genjax.errors import InputError
from genjax.ops.arrays import one_hot
from genjax.ops.noise import of_layers, of_seeds
from genjax.ops.pixels import quantize, to_pixels, to_stored


def generator_variables(state: State, ema: bool) -> Variables:
    """The generator's variables: averaged ones if `ema`, and if the state has any."""
    return state.ema["generator"] if ema and state.ema else state.nets["generator"].variables


def outputs(generate: Callable, latent: int, pixels: str, classes: int = 0, bits: int = 8) -> dict[str, Callable]:
    """Outputs of a generator with `latent` latents, whose examples are in the range that `pixels` names.

    Samples have `bits` per channel.

    `generate(state, z, ema)` makes examples of latents; with classes these end in the class' one-hot.
    """

    def latents(state, seeds, truncation=None):
        """The latents of each seed, which do not depend on the other seeds; its class is seed % classes.

        `truncation` draws entries beyond it again (arXiv:1809.11096, section 3.1).
        Shapes: seeds int [N] -> [N, latent + classes].
        """
        return with_class(of_seeds(seeds, (latent,), truncation), seeds, classes)

    def decode(state, z, ema=True):
        """Examples of latents, pixels from 0 to 255 and not rounded. Shapes: z as of `latents` -> float [N, *shape]."""
        return to_pixels(generate(state, z, ema), pixels)

    def sample(state, seeds, truncation=None, ema=True):
        """One example per seed: stored pixels, or float32 points. Shapes: seeds int [N] -> [N, *shape].

        The example of a seed does not depend on the other seeds. `ema` uses the averaged weights if there are any.
        """
        return to_stored(generate(state, latents(state, seeds, truncation), ema), pixels, bits)

    return {"sample": sample, "latents": latents, "decode": decode}


def with_class(z, seeds, classes: int):
    """Latents of seeds, with classes followed by the one-hot of seed % classes. Shapes: -> [N, latent + classes]."""
    return jnp.concatenate([z, one_hot(seeds % classes, classes)], 1) if classes else z


def split_class(z, latent: int, classes: int) -> tuple:
    """Latents, and the one-hots at their ends, or None. Shapes: [N, latent + classes] -> [N, latent], [N, classes]."""
    return (z[:, :latent], z[:, latent:]) if classes else (z, None)


def style_outputs(generator, image: Callable, latent: int, classes: int = 0, bits: int = 8) -> dict[str, Callable]:
    """Outputs of a generator with styles (`genjax.nets.contracts.Styled`). Truncation is towards one w for all classes.

    `image(variables, ws, state, noise)` makes images of styles; samples have `bits` per channel.
    """

    def map_latents(state, z, ema=True):
        """w of latents. Shapes: z as of `latents` -> [N, width]."""
        z, class_onehot = split_class(z, latent, classes)
        return generator.apply(generator_variables(state, ema), z, class_onehot=class_onehot, method="map")

    def synthesize(state, ws, ema=True, truncation=None, noise=None):
        """Images of styles, pixels from 0 to 255 and not rounded.

        `noise` is a key, or one per image [N], None (constant) or False (none).

        `truncation` is psi: styles are scaled by it around their average (arXiv:1812.04948, appendix B).
        Shapes: ws [N, width], or [N, layers, width] -> float [N, *shape].
        """
        variables = generator_variables(state, ema)
        ws = generator.apply(variables, ws, method="styles") if ws.ndim == 2 else ws
        if truncation is not None:
            ws = generator.apply(variables, ws, truncation, method="truncate")
        return to_pixels(image(variables, ws, state, noise), generator.output)

    def decode(state, z, ema=True):
        """Images of latents, pixels from 0 to 255 and not rounded. Shapes: z as of `latents` -> float [N, *shape]."""
        return synthesize(state, map_latents(state, z, ema), ema)

    def latents(state, seeds, truncation=None):
        """The latents of each seed, which do not depend on the other seeds; its class is seed % classes.

        Truncation is of w, not of them. Shapes: seeds int [N] -> [N, latent + classes].
        """
        return with_class(of_seeds(seeds, (latent,)), seeds, classes)

    def sample(state, seeds, truncation=None, ema=True, noise="constant"):
        """One image per seed, which does not depend on the other seeds; `truncation` is psi.

        `noise` is "constant", the same for all images, "random", that of the seed, or "none".
        Shapes: seeds int [N] -> uint8 or uint16 [N, *shape].
        Raises: InputError for another noise than the constant one if the generator has none.
        """
        if noise != NOISE[0] and not getattr(generator, "noise", True):
            raise InputError(f"noise={noise!r}: the layers of this generator have no noise (generator.noise=False)")
        w = map_latents(state, latents(state, seeds), ema)
        return quantize(synthesize(state, w, ema, truncation, of_layers(noise, seeds)), bits)

    return {"sample": sample, "latents": latents, "decode": decode, "map": map_latents, "synthesize": synthesize}
