"""The vector-quantized autoencoder: latents are maps of code indices; the codebook is an EMA of encoder outputs.

Source: arXiv:1711.00937. The running averages (appendix A.1) replace the codebook loss, so the loss is the first and
the last term of eq. 3. There is no output "sample", because the prior over indices is a model of its own.
"""

from collections.abc import Callable
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from genjax.config import construct, defaults
from genjax.engine.phase import Phase, Task
from genjax.engine.precision import computing_in
from genjax.engine.state import State
from genjax.engine.update import gradient_step, init_net, optimizer
from genjax.errors import InputError
from genjax.losses.reconstruction import mean
from genjax.nets import contracts, residual
from genjax.nets.layers import ACTIVATIONS
from genjax.ops import vector_quantize
from genjax.ops.pixels import to_float, to_pixels
from genjax.tasks.reconstruction import loss_of_outputs

NETS = {"residual": residual.ResidualAutoencoder}


def config() -> ConfigDict:
    """Every key of a VQ-VAE's config with its default, locked: a misspelled key in a config file raises."""
    c = defaults(task="vqvae")
    c.eval.metrics = "reconstruction"
    c.vqvae = ConfigDict({"net": "residual"})  # further keys: the fields of the net
    c.loss = "bce"  # or "mse"
    c.commitment = 0.25  # weight of the squared distance of encoder outputs from their codes
    c.codebook = ConfigDict(
        {
            "codes": 64,
            "decay": 0.99,  # of the running averages, per step
            "restart": 1.0,  # codes used for fewer vectors than this per batch are re-initialized; 0: never
        }
    )
    c.optimizer = ConfigDict({"name": "adam", "learning_rate": 1e-3, "b1": 0.9, "b2": 0.999})
    return c.lock()


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """A VQ-VAE for images of one shape, from its config.

    Raises: InputError for choices that do not exist or do not fit each other or the data.
    """
    _validate(c, shape)
    net = construct(NETS, c.vqvae, "vqvae", contracts.VectorQuantizedAutoencoder.check, shape=tuple(shape))
    loss = partial(vq_loss, c, computing_in(c.dtype, net.apply), loss_of_outputs(net, c.loss, "loss"))
    tx = optimizer(**c.optimizer)

    def init(key):
        k_net, k_codebook = jax.random.split(key)
        variables = net.init(k_net, jnp.zeros((1, *shape)))
        codebook = vector_quantize.init_codebook(k_codebook, c.codebook.codes, net.latent)
        return State(jnp.int32(0), {"vqvae": init_net({**variables, "codebook": codebook._asdict()}, tx)}, {}, {})

    def step(state, batch, key):
        """One update of the net by its loss, and of the codebook by the encoder's outputs."""
        x = to_float(batch["x"][0], "sigmoid")
        trained, metrics = gradient_step(state.nets["vqvae"], tx, loss, x, key)
        return State(state.step + 1, {"vqvae": trained}, state.ema, state.extra), metrics

    return Task(init, (Phase("train", c.steps, c.batch, step),), outputs(net))


def vq_loss(c: ConfigDict, apply: Callable, loss: Callable, params, stats, x, key):
    """The loss of a batch, as `genjax.engine.update.gradient_step` takes it; the statistics hold the next codebook.

        loss(decoder(q), x) + commitment * |z - stop_gradient(q)|^2, with z = encoder(x), q its nearest codes

    The decoder's gradient passes from q to z unchanged; both terms are means over numbers, as in the authors' code.
    Shapes: x [B, *shape] pixels from 0 to 1 -> scalar, (stats, metrics).
    """
    codebook = vector_quantize.Codebook(**stats["codebook"])
    z = apply({"params": params}, x, train=True, method="encode")
    indices = vector_quantize.nearest(z, codebook.codes)
    q = codebook.codes[indices]
    y = apply({"params": params}, vector_quantize.straight_through(z, q), train=True, method="decode")
    recon_loss = mean(loss, y, x)
    distance = jnp.square(z - q).mean()
    vectors = jax.lax.stop_gradient(z).reshape(-1, z.shape[-1])
    codebook = vector_quantize.update_codebook(codebook, vectors, indices.ravel(), c.codebook.decay)
    codebook, restarted = vector_quantize.restart(codebook, vectors, c.codebook.restart, key)
    metrics = {"loss": recon_loss + c.commitment * distance}
    metrics |= {"reconstruction/loss": recon_loss, "commitment/distance": distance}
    metrics["codes/perplexity"] = vector_quantize.perplexity(indices, c.codebook.codes)
    metrics["codes/restarted"] = restarted.astype(jnp.float32)
    return metrics["loss"], ({"codebook": codebook._asdict()}, metrics)


def outputs(net: nn.Module) -> dict[str, Callable]:
    """The outputs of the task by their names."""

    def encode(state, x):
        """Code indices of images. Shapes: x uint8 [N, *shape] -> int32 [N, h, w]."""
        trained = state.nets["vqvae"]
        z = net.apply({"params": trained.params}, to_float(x, "sigmoid"), method="encode")
        return vector_quantize.nearest(z, trained.stats["codebook"]["codes"])

    def decode(state, indices, ema=True):
        """Images of code indices, pixels from 0 to 255, not rounded. Shapes: int [N, h, w] -> [N, *shape]."""
        trained = state.nets["vqvae"]
        q = trained.stats["codebook"]["codes"][indices]
        y = net.apply({"params": trained.params}, q, method="decode")
        return to_pixels(ACTIVATIONS[net.output](y), "sigmoid")

    def reconstruct(state, x):
        """Reconstructions from the nearest codes, pixels from 0 to 255, not rounded. Shapes: x [N, *shape], kept."""
        return decode(state, encode(state, x))

    return {"encode": encode, "decode": decode, "reconstruct": reconstruct}


def _validate(c, shape):
    """Raises: InputError for numbers out of range and for data that are no images."""
    if len(shape) != 3:
        raise InputError(f"a VQ-VAE needs images, but the data are points of shape {list(shape)}")
    codebook = c.codebook
    if codebook.codes < 1 or not 0 <= codebook.decay < 1 or codebook.restart < 0 or c.commitment < 0:
        raise InputError(
            f"codebook.codes={codebook.codes}, decay={codebook.decay}, restart={codebook.restart}, "
            f"commitment={c.commitment}: expected at least 1 code, a decay from 0 to less than 1, no negative number"
        )
